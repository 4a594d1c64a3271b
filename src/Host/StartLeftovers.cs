namespace Stoa.Host;

/// <summary>
/// A start makes much that nothing needs afterwards, and a host that then has little to do would keep it for hours: the collector only
/// looks when something new is made. So it is told to look once, and to give back what it frees.
/// </summary>
internal static class StartLeftovers
{
    /// <summary>By then the calendar runs and the jobs of a start are done.</summary>
    internal static readonly TimeSpan After = TimeSpan.FromSeconds(15);

    /// <summary>Ends when it has been done, or when the host stops before.</summary>
    public static async Task GiveBackAsync(Task ready, TimeProvider time, Action collect, CancellationToken stopping)
    {
        try
        {
            await ready.WaitAsync(stopping);
            await Task.Delay(After, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        collect();
    }

    /// <summary>Nothing else runs meanwhile.</summary>
    public static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
}
