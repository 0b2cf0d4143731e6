# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_isolint_global_optspecs
    string join \n h/help V/version
end

function __fish_isolint_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_isolint_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_isolint_using_subcommand
    set -l cmd (__fish_isolint_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c isolint -n "__fish_isolint_needs_command" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_needs_command" -s V -l version -d 'Print version'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "check" -d 'Check a project'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "plan" -d 'Say which test files may run beside any other, what holds the rest back, and how many workers CI starts'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "explain" -d 'Explain a rule: what it finds, why it matters, what to do'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "rules" -d 'List the rules, with their severity and what they find'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "facts" -d 'Show what is read out of one Python or Rust file, for those who work on isolint'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "init" -d 'Write a first configuration, with all keys commented out and what was found out about the project'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "schema" -d 'Print the JSON schema of the configuration, for editors'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "lsp" -d 'Serve an editor: findings while the code is written, over standard input and output'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "man" -d 'Print a manual page, for `man`'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c isolint -n "__fish_isolint_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l output-format -d 'The form of the report' -r -f -a "terminal\t'Source snippets with labels'
concise\t'One line each: `path:line:column: severity[rule] message`'
json\t'Our own, versioned'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations in the log of a GitHub, Gitea or Forgejo job'
gitlab\t'GitLab\'s code quality report'
junit\t'JUnit\'s XML'
checkstyle\t'Checkstyle\'s XML'
rdjson\t'Reviewdog\'s diagnostic format'"
complete -c isolint -n "__fish_isolint_using_subcommand check" -s o -l output-file -d 'Write the report to a file, whole or not at all' -r -F
complete -c isolint -n "__fish_isolint_using_subcommand check" -l select -d 'Report these rules only, whatever the configuration selects or ignores; separated by commas' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l ignore -d 'Do not report these rules; separated by commas' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l exclude -d 'Do not look at paths that match; adds to the configuration. Globs are relative to the project; one without a slash fits at any depth' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l min-severity -d 'Report findings of this severity or a higher one [default: note]' -r -f -a "note\t''
warning\t''
error\t''"
complete -c isolint -n "__fish_isolint_using_subcommand check" -l min-confidence -d 'Report findings of this confidence or a higher one [default: medium]' -r -f -a "low\t''
medium\t''
high\t''"
complete -c isolint -n "__fish_isolint_using_subcommand check" -l changed-since -d 'Report only what the change since this revision touches, in whatever file the other end stands' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l baseline -d 'Report only what is not in this file of known findings' -r -F
complete -c isolint -n "__fish_isolint_using_subcommand check" -l add-ignores -d 'Write an ignore comment for each finding that is shown, with this reason; comments that cover nothing are mended' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l config -d 'Read this configuration file, and no other' -r -F
complete -c isolint -n "__fish_isolint_using_subcommand check" -s j -l jobs -d 'Use this many threads; 0, or no number, is as many as the process may use' -r
complete -c isolint -n "__fish_isolint_using_subcommand check" -l color -d 'Colours: `auto` heeds the terminal, NO_COLOR and CLICOLOR_FORCE' -r -f -a "auto\t''
always\t''
never\t''"
complete -c isolint -n "__fish_isolint_using_subcommand check" -l stdin-filename -d 'Read the text of this file from standard input, and report on it alone. For editors: the file need not be saved' -r -F
complete -c isolint -n "__fish_isolint_using_subcommand check" -l preview -d 'Report rules in preview too, whose precision is not measured yet'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l write-baseline -d 'Write all findings of the project to the baseline, and report none. Refused in CI where that would add some'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l shrink-baseline -d 'Take out of the baseline what is not found any more; add nothing'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l strict -d 'Exit with 2 where a file cannot be read or parsed, and with 1 where the baseline holds what is not found any more'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l exit-zero -d 'Exit with 0 whatever was found'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l fix -d 'Fix in the files what can be fixed safely; report the rest'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l unsafe-fixes -d 'With --fix or --diff, also make fixes that somebody should look at: they may change what the code does'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l diff -d 'Print what --fix or --add-ignores would change, as a diff, and change nothing. Exits with 1 where there is something to change'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l no-cache -d 'Do not use the cache. This version has none, so the flag changes nothing'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l isolated -d 'Read no configuration file of isolint'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l statistics -d 'Count the findings of each rule, after the report'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l show-suppressed -d 'Report findings that an ignore comment covers, too, with its reason'
complete -c isolint -n "__fish_isolint_using_subcommand check" -l gaps -d 'Name what could not be understood, not only how much'
complete -c isolint -n "__fish_isolint_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c isolint -n "__fish_isolint_using_subcommand plan" -l output-format -d 'The form of the plan' -r -f -a "text\t'For people'
json\t'Our own, versioned'
dot\t'A graph of test files and what they meet at, for Graphviz'"
complete -c isolint -n "__fish_isolint_using_subcommand plan" -l workers -d 'For each test job the number of workers, on machines of several sizes, with the chain that leads to it'
complete -c isolint -n "__fish_isolint_using_subcommand plan" -l preview -d 'Findings of rules in preview hold tests back, too; without it they make a file unknown'
complete -c isolint -n "__fish_isolint_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c isolint -n "__fish_isolint_using_subcommand explain" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand rules" -l json -d 'Print the list as JSON, for programs'
complete -c isolint -n "__fish_isolint_using_subcommand rules" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand facts" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand init" -l pyproject -d 'Add a table `[tool.isolint]` to the project\'s pyproject.toml, and write no file of its own'
complete -c isolint -n "__fish_isolint_using_subcommand init" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand schema" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -l config -d 'Read this configuration file instead of the project\'s' -r -F
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -s j -l jobs -d 'Threads; as many as the process may use where it is left out' -r
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -l isolated -d 'Read no configuration file'
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -l preview -d 'Turn on rules in preview'
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -l stdio -d 'Speak over standard input and output. There is nothing else, but some editors say so'
complete -c isolint -n "__fish_isolint_using_subcommand lsp" -s h -l help -d 'Print help'
complete -c isolint -n "__fish_isolint_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c isolint -n "__fish_isolint_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "check" -d 'Check a project'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "plan" -d 'Say which test files may run beside any other, what holds the rest back, and how many workers CI starts'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "explain" -d 'Explain a rule: what it finds, why it matters, what to do'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "rules" -d 'List the rules, with their severity and what they find'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "facts" -d 'Show what is read out of one Python or Rust file, for those who work on isolint'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "init" -d 'Write a first configuration, with all keys commented out and what was found out about the project'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "schema" -d 'Print the JSON schema of the configuration, for editors'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "lsp" -d 'Serve an editor: findings while the code is written, over standard input and output'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "man" -d 'Print a manual page, for `man`'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c isolint -n "__fish_isolint_using_subcommand help; and not __fish_seen_subcommand_from check plan explain rules facts init schema lsp man completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
