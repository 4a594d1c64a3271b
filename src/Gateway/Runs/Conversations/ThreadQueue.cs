namespace Stoa.Gateway.Runs.Conversations;

/// <summary>The runs of this node that want the same conversation, in the order in which they came.</summary>
internal sealed class ThreadQueue
{
    // A conversation that is here has somebody whose turn it is; the others wait.
    private readonly Dictionary<ThreadKey, Queue<TaskCompletionSource>> waiting = [];

    /// <summary>Ends when it is this run's turn. Whoever got his turn must <see cref="Leave"/>.</summary>
    /// <exception cref="OperationCanceledException">It was given up before.</exception>
    public async Task EnterAsync(ThreadKey thread, CancellationToken ct)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (waiting)
        {
            if (waiting.TryAdd(thread, new()))
            {
                return;
            }
            waiting[thread].Enqueue(turn);
        }
        await using var givenUp = ct.UnsafeRegister(static (state, ct) => ((TaskCompletionSource)state!).TrySetCanceled(ct), turn);
        await turn.Task;
    }

    public void Leave(ThreadKey thread)
    {
        lock (waiting)
        {
            var next = waiting[thread];
            while (next.TryDequeue(out var turn))
            {
                if (turn.TrySetResult())
                {
                    return;
                }
            }
            waiting.Remove(thread);
        }
    }
}
