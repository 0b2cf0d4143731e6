{{#each modules}}
pub mod {{name}};
{{/each}}
#!/usr/bin/env python
def test(): pass
