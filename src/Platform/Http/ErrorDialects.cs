using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Http;

/// <summary>
/// The dialect in which a request is answered: its route group's, else the longest registered prefix's, else a page for a browser
/// that asks for what does not exist, else RFC 9457.
/// </summary>
public sealed class ErrorDialects
{
    private readonly PrefixDialect[] prefixes;
    private readonly ErrorDialect browsers;

    internal ErrorDialects(IEnumerable<PrefixDialect> prefixes, ErrorDialect browsers) =>
        (this.prefixes, this.browsers) = ([.. prefixes.OrderByDescending(prefix => prefix.Prefix.Value!.Length)], browsers);

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
        return context.GetEndpoint() is null && IsBrowser(context.Request) ? browsers : ProblemErrors.Instance;
    }

    private static bool IsBrowser(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
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
