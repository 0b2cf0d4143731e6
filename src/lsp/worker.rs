//! The thread that analyses. It is given tasks one by one; a task is wanted as long as nothing changed since.

use super::analyst::{Analysed, Analyst, Asked};
use crate::check::Wanted;
use crate::remedy::rounds::Changed;
use crossbeam_channel::{Receiver, Sender, unbounded};
use lsp_server::RequestId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The state of the client's files: a number that grows with each change.
pub type Generation = u64;

pub enum Task {
    Analyse(Asked),
    /// All safe fixes that stay in one file, for the request that waits for them.
    Fix {
        file: PathBuf,
        of: Arc<Analysed>,
        request: RequestId,
    },
}

pub enum Answer {
    Analysed(Arc<Analysed>),
    /// None where it was given up.
    Fixed {
        request: RequestId,
        changed: Option<Vec<(PathBuf, Changed)>>,
    },
    /// The task broke down.
    Broken {
        request: Option<RequestId>,
        why: String,
    },
}

/// The worker as the rest sees it.
pub struct Worker {
    tasks: Sender<(Generation, Task)>,
    pub answers: Receiver<(Generation, Answer)>,
    newest: Arc<AtomicU64>,
}

impl Worker {
    pub fn new(mut analyst: Analyst) -> Worker {
        Worker::with(move |task, wanted| match task {
            Task::Analyse(asked) => Some(Answer::Analysed(Arc::new(analyst.analyse(&asked, wanted)?))),
            Task::Fix { file, of, request } => Some(Answer::Fixed { request, changed: analyst.fix(&of, &file, wanted) }),
        })
    }

    fn with(mut work: impl FnMut(Task, Wanted) -> Option<Answer> + Send + 'static) -> Worker {
        let (tasks, inbox) = unbounded::<(Generation, Task)>();
        let (outbox, answers) = unbounded();
        let newest = Arc::new(AtomicU64::new(0));
        let now = newest.clone();
        // It ends when the last task is done and no more can come; a process that ends does not wait for it.
        thread::spawn(move || {
            for (generation, task) in inbox {
                let wanted = || now.load(Ordering::Acquire) == generation;
                let request = match &task {
                    Task::Analyse(_) => None,
                    Task::Fix { request, .. } => Some(request.clone()),
                };
                let done = catch_unwind(AssertUnwindSafe(|| work(task, &wanted)));
                let answer = done.unwrap_or_else(|panic| Some(Answer::Broken { request, why: reason(&*panic) }));
                if let Some(answer) = answer
                    && outbox.send((generation, answer)).is_err()
                {
                    break;
                }
            }
        });
        Worker { tasks, answers, newest }
    }

    /// Whatever the worker does now, it is not wanted any more.
    pub fn outdate(&self, generation: Generation) {
        self.newest.store(generation, Ordering::Release);
    }

    pub fn give(&self, generation: Generation, task: Task) {
        // The worker ends after us.
        let _ = self.tasks.send((generation, task));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.outdate(Generation::MAX);
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const SOON: Duration = Duration::from_secs(20);

    fn asked() -> Task {
        Task::Analyse(Asked::default())
    }

    #[test]
    fn a_panic_is_an_answer_and_the_next_task_is_done() {
        let mut first = true;
        let worker = Worker::with(move |_, _| {
            assert!(!std::mem::take(&mut first), "the first one breaks");
            Some(Answer::Analysed(Arc::default()))
        });
        worker.give(0, asked());
        worker.give(0, asked());
        assert!(
            matches!(worker.answers.recv_timeout(SOON), Ok((0, Answer::Broken { request: None, why })) if why == "the first one breaks")
        );
        assert!(matches!(worker.answers.recv_timeout(SOON), Ok((0, Answer::Analysed(_)))));
    }

    #[test]
    fn the_newest_wins() {
        let worker = Worker::with(|_, wanted| {
            let start = Instant::now();
            while wanted() && start.elapsed() < Duration::from_millis(50) {
                thread::yield_now();
            }
            wanted().then(|| Answer::Analysed(Arc::default()))
        });
        for generation in 1..=50 {
            worker.outdate(generation);
            worker.give(generation, asked());
        }
        assert!(matches!(worker.answers.recv_timeout(SOON), Ok((50, Answer::Analysed(_)))));
    }
}
