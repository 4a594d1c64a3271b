using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Http;

/// <summary>The dialect in which a request is answered: its route group's, else the longest registered prefix's, else RFC 9457.</summary>
public sealed class ErrorDialects
{
    private readonly PrefixDialect[] prefixes;

    internal ErrorDialects(IEnumerable<PrefixDialect> prefixes) =>
        this.prefixes = [.. prefixes.OrderByDescending(prefix => prefix.Prefix.Value!.Length)];

    public ErrorDialect For(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<ErrorDialect>() is { } own)
        {
            return own;
        }
        foreach (var candidate in prefixes)
        {
            if (context.Request.Path.StartsWithSegments(candidate.Prefix, StringComparison.OrdinalIgnoreCase))
            {
                return candidate.Dialect;
            }
        }
        return ProblemErrors.Instance;
    }
}

internal sealed record PrefixDialect(PathString Prefix, ErrorDialect Dialect);

public static class ErrorDialectExtensions
{
    /// <summary>The failures of these routes are worded by <paramref name="dialect"/>.</summary>
    public static TBuilder WithErrors<TBuilder>(this TBuilder builder, ErrorDialect dialect)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(dialect);

    /// <summary>Where no route answers a path below <paramref name="prefix"/>, <paramref name="dialect"/> does.</summary>
    public static IServiceCollection AddErrorDialect(this IServiceCollection services, string prefix, ErrorDialect dialect) =>
        services.AddSingleton(new PrefixDialect(prefix, dialect));
}
