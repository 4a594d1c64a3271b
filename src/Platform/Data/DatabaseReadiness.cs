namespace Stoa.Platform.Data;

/// <summary>Whether the database is there and migrated. The host listens before that; whoever needs tables waits here.</summary>
public sealed class DatabaseReadiness
{
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True from the first success on: a database that goes away later does not take back what is warm in memory.</summary>
    public bool IsReady => ready.Task.IsCompleted;

    /// <summary>What is wrong with the database now, on one line; null when nothing is known to be.</summary>
    public string? Problem { get; private set; } = "the database has not been reached yet";

    public Task WhenReady(CancellationToken ct) => ready.Task.WaitAsync(ct);

    internal void Migrated()
    {
        Problem = null;
        ready.TrySetResult();
    }

    internal void Report(string? problem) => Problem = problem;
}
