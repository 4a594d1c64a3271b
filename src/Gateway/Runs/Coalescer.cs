namespace Stoa.Gateway.Runs;

/// <summary>
/// Does what many callers want at the same time as one piece of work: while a group is at work the next one gathers. A caller who comes
/// alone waits for nobody; many share a round trip and a commit.
/// </summary>
/// <param name="work">The results of a group, in its order. What it throws, the whole group gets.</param>
/// <param name="largest">Items of a group.</param>
/// <param name="atOnce">Groups at work.</param>
internal sealed class Coalescer<TItem, TResult>(Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> work, int largest, int atOnce)
{
    private readonly Queue<Waiting> waiting = new();
    private int working;

    /// <summary>The result of this item. It cannot be called back: who no longer waits for it leaves it to its end.</summary>
    public Task<TResult> RunAsync(TItem item)
    {
        var own = new Waiting(item);
        lock (waiting)
        {
            waiting.Enqueue(own);
            if (working == atOnce)
            {
                return own.Done.Task;
            }
            working++;
        }
        // The work is nobody's own: no caller's trace goes on in it.
        using (ExecutionContext.SuppressFlow())
        {
            _ = WorkAsync();
        }
        return own.Done.Task;
    }

    private async Task WorkAsync()
    {
        while (Next() is { Count: > 0 } group)
        {
            try
            {
                var results = await work(group.ConvertAll(one => one.Item));
                for (var place = 0; place < group.Count; place++)
                {
                    group[place].Done.SetResult(results[place]);
                }
            }
            catch (Exception thrown)
            {
                // The boundary of the group: each of its callers hears of it.
                group.ForEach(one => one.Done.TrySetException(thrown));
            }
        }
    }

    private List<Waiting> Next()
    {
        lock (waiting)
        {
            var group = new List<Waiting>(Math.Min(waiting.Count, largest));
            while (group.Count < largest && waiting.TryDequeue(out var one))
            {
                group.Add(one);
            }
            if (group.Count == 0)
            {
                working--;
            }
            return group;
        }
    }

    private sealed record Waiting(TItem Item)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
