using System.Globalization;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.AspNetCore.Builder;

namespace Stoa.Platform.Http;

/// <summary>
/// The sockets of callers and of providers complete on the thread that waits for their events, and what is awaited continues there: the
/// shortest way for a call that only passes bytes on, and a standstill of every connection for code that blocks or computes. So requests
/// leave that thread after routing, unless their route says that it may stay. All other sockets complete on the pool: a library that
/// blocks in a continuation, as Npgsql does when a query is cancelled, holds up nobody else.
/// </summary>
public static class EventThread
{
    // Internal to the runtime, which keeps it reachable for callers like us. Where it is absent, sockets stay as they are.
    private static readonly Action<Socket, bool>? PreferInline = typeof(Socket)
        .GetProperty(
            "PreferInlineCompletions", BindingFlags.Instance | BindingFlags.NonPublic)?.SetMethod?.CreateDelegate<Action<Socket, bool>>();

    internal static bool CanContinueInline => PreferInline is not null;

    /// <summary>
    /// One event thread for each processor, as what continues there takes its time. Must run before the process opens its first socket:
    /// the runtime reads the number once.
    /// </summary>
    public static void OnePerProcessor()
    {
        const string Count = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";
        if (Environment.GetEnvironmentVariable(Count) is null)
        {
            Environment.SetEnvironmentVariable(Count, Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Only for a connected socket whose every reader and writer neither blocks nor computes on that thread.</summary>
    public static void ContinueInline(this Socket socket) => PreferInline?.Invoke(socket, true);

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
