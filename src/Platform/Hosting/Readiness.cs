using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;

namespace Stoa.Platform.Hosting;

/// <summary>One thing that must hold before traffic may come: null when it does, else what is missing.</summary>
internal sealed record ReadinessCheck(string Name, Func<IServiceProvider, string?> Problem);

/// <summary>Whether the host may be given traffic, and why not.</summary>
internal sealed class Readiness(IEnumerable<ReadinessCheck> checks, Drain drain, IServiceProvider services)
{
    public IReadOnlyList<(string Name, string Problem)> Problems()
    {
        List<(string, string)> problems = [];
        if (drain.IsDraining)
        {
            problems.Add(("drain", "shutting down"));
        }
        foreach (var check in checks)
        {
            if (check.Problem(services) is { } problem)
            {
                problems.Add((check.Name, problem));
            }
        }
        return problems;
    }
}

public static class ReadinessExtensions
{
    /// <summary>Keeps <c>/readyz</c> at 503 while <paramref name="problem"/> returns a text. Asked often: no I/O.</summary>
    public static IServiceCollection AddReadiness(
        this IServiceCollection services, string name, Func<IServiceProvider, string?> problem) =>
        services.AddSingleton(new ReadinessCheck(name, problem));
}
