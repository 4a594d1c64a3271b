namespace Stoa.Platform.Identity;

/// <summary>Lets only so many hashes be computed at once as leave the processor to everybody else. The others wait, without a thread.</summary>
public sealed class HashGate : IDisposable
{
    private readonly SemaphoreSlim places = new(Math.Max(1, Environment.ProcessorCount / 2));

    public async Task<T> RunAsync<T>(Func<T> compute, CancellationToken ct)
    {
        await places.WaitAsync(ct);
        try
        {
            return await Task.Run(compute, ct);
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose() => places.Dispose();
}
