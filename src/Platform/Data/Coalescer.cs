using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// Does what many callers want of the database at the same time as one piece of work: while a group is at work the next one gathers. A
/// caller who comes alone waits for nobody; many share a round trip and a commit.
/// </summary>
/// <param name="work">
/// The results of a group, in its order; all of it or nothing. What a group is refused is tried again one by one, so that only those hear
/// of it whom it concerns.
/// </param>
/// <param name="largest">Items of a group.</param>
/// <param name="atOnce">Groups at work.</param>
public sealed class Coalescer<TItem, TResult>(
    Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> work, int largest = 64, int atOnce = 2)
{
    // The class of errors in which another transaction was in the way.
    private const string RolledBack = "40";

    private readonly Queue<Waiting> waiting = new();
    private int working;

    /// <summary>The result of this item.</summary>
    /// <param name="item">What is wanted.</param>
    /// <param name="ct">Takes it back as long as its group has not begun; after that it is left to its end.</param>
    public Task<TResult> RunAsync(TItem item, CancellationToken ct = default)
    {
        var own = new Waiting(item, ct);
        lock (waiting)
        {
            waiting.Enqueue(own);
            if (working == atOnce)
            {
                return own.Done.Task;
            }
            working++;
        }
        // Not here: the work is nobody's own, and no caller's trace goes on in it.
        ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.WorkAsync(), this, preferLocal: true);
        return own.Done.Task;
    }

    private async Task WorkAsync()
    {
        while (Next() is { Count: > 0 } group)
        {
            try
            {
                await RunAsync(group);
            }
            catch (Exception thrown) when (group.Count > 1 && IsUndone(thrown))
            {
                foreach (var one in group)
                {
                    await RunAloneAsync(one);
                }
            }
            catch (PostgresException refused) when (refused.SqlState.StartsWith(RolledBack, StringComparison.Ordinal))
            {
                await RunAloneAsync(group[0]);
            }
            catch (Exception thrown)
            {
                // The boundary of the group: each of its callers hears of it.
                group.ForEach(one => one.Done.SetException(thrown));
            }
        }
    }

    private async Task RunAsync(List<Waiting> group)
    {
        var results = await work(group.ConvertAll(one => one.Item));
        foreach (var (one, result) in group.Zip(results))
        {
            one.Done.SetResult(result);
        }
    }

    private async Task RunAloneAsync(Waiting one)
    {
        try
        {
            await RunAsync([one]);
        }
        catch (Exception thrown)
        {
            one.Done.SetException(thrown);
        }
    }

    // When the server was lost on the way nobody knows.
    private static bool IsUndone(Exception thrown) => thrown is PostgresException || !Outage.Is(thrown);

    private List<Waiting> Next()
    {
        lock (waiting)
        {
            var group = new List<Waiting>(Math.Min(waiting.Count, largest));
            while (group.Count < largest && waiting.TryDequeue(out var one))
            {
                if (one.Left.IsCancellationRequested)
                {
                    one.Done.SetCanceled(one.Left);
                }
                else
                {
                    group.Add(one);
                }
            }
            if (group.Count == 0)
            {
                working--;
            }
            return group;
        }
    }

    private sealed record Waiting(TItem Item, CancellationToken Left)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
