using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Stoa.Platform;

/// <summary>One thing that must have happened before traffic may come.</summary>
/// <param name="Problem">What to say until then.</param>
internal sealed record ReadinessCheck(string Name, string Problem, Func<IServiceProvider, Task> Done);

/// <summary>Whether the host may be given traffic, and why not. Once it may, only a drain ends that.</summary>
internal sealed class Readiness(IEnumerable<ReadinessCheck> checks, IServiceProvider services)
{
    private readonly (ReadinessCheck Check, Task Done)[] waits = [.. checks.Select(check => (check, check.Done(services)))];

    public IEnumerable<ReadinessCheck> Missing => waits.Where(wait => !wait.Done.IsCompleted).Select(wait => wait.Check);

    /// <summary>For work that may wait until the host answers: at a start, the processors belong to what callers wait for.</summary>
    public Task WhenReady(CancellationToken ct) => Task.WhenAll(waits.Select(wait => wait.Done)).WaitAsync(ct);
}

public static class ReadinessExtensions
{
    /// <summary>Keeps <c>/readyz</c> at 503 until <paramref name="done"/> is.</summary>
    public static IServiceCollection AddReadiness(
        this IServiceCollection services, string name, string problem, Func<IServiceProvider, Task> done)
    {
        services.TryAddSingleton<Readiness>();
        return services.AddSingleton(new ReadinessCheck(name, problem, done));
    }
}
