using Microsoft.AspNetCore.Builder;

namespace Stoa.Platform.Http;

/// <summary>
/// Sockets complete on the thread that waits for their events, and what is awaited continues there: the shortest way for a call that
/// only passes bytes on, and a standstill of every connection for code that blocks or computes. So requests leave that thread after
/// routing, unless their route says that it may stay.
/// </summary>
public static class EventThread
{
    /// <summary>Must run before the process opens its first socket: the runtime reads the switch once.</summary>
    public static void ContinueSocketsInline() =>
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

    /// <summary>
    /// Runs <paramref name="work"/> on the thread pool. What it awaits continues on the pool too, also after socket work, as long as
    /// it does not say <c>ConfigureAwait(false)</c>.
    /// </summary>
    public static Task RunOnPool(Func<Task> work) => Task.Factory
        .StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, PoolScheduler.Instance)
        .Unwrap();

    /// <summary>The same with a state instead of a closure.</summary>
    internal static Task RunOnPool(Func<object?, Task> work, object? state) => Task.Factory
        .StartNew(work, state, CancellationToken.None, TaskCreationOptions.DenyChildAttach, PoolScheduler.Instance)
        .Unwrap();

    /// <summary>For routes that neither block nor compute for long: they save the hop to the pool.</summary>
    public static TBuilder StayOnEventThread<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(Stay.Instance);

    internal sealed class Stay
    {
        public static readonly Stay Instance = new();
    }

    /// <summary>The default scheduler is not captured by an await; this one is, and that is its whole purpose.</summary>
    private sealed class PoolScheduler : TaskScheduler
    {
        public static readonly PoolScheduler Instance = new();

        private static readonly Action<(PoolScheduler Scheduler, Task Task)> Execute = item => item.Scheduler.TryExecuteTask(item.Task);

        protected override void QueueTask(Task task) => ThreadPool.UnsafeQueueUserWorkItem(Execute, (this, task), preferLocal: true);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
            !taskWasPreviouslyQueued && Thread.CurrentThread.IsThreadPoolThread && TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
