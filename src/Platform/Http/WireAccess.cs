using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>How a wire with credentials of its own finds its caller. It belongs to the route group, so no other surface knows it.</summary>
public static class WireAccess
{
    /// <summary>
    /// States the rule and enforces it: <paramref name="authenticate"/> is asked once, before the body is read, and throws a
    /// <see cref="Failure"/> or gives the caller, whom handlers then take by <see cref="WireCaller{TCaller}"/>.
    /// </summary>
    public static TBuilder RequireWireCaller<TBuilder, TCaller>(
        this TBuilder builder, AccessRule rule, Func<HttpContext, ValueTask<TCaller>> authenticate)
        where TBuilder : IEndpointConventionBuilder
        where TCaller : class
    {
        builder.WithMetadata(rule);
        builder.Finally(endpoint =>
        {
            var handle = endpoint.RequestDelegate ?? throw new InvalidOperationException("The route has no handler");
            endpoint.RequestDelegate = async context =>
            {
                // A group's rule may be replaced by its route's: the last word counts, in the document as here.
                if (ReferenceEquals(context.GetEndpoint()?.Metadata.GetMetadata<AccessRule>(), rule))
                {
                    context.Features.Set(await authenticate(context));
                }
                await handle(context);
            };
        });
        return builder;
    }

    /// <summary>For the <c>BindAsync</c> of a caller's type.</summary>
    public static ValueTask<TCaller?> WireCaller<TCaller>(this HttpContext context)
        where TCaller : class => ValueTask.FromResult<TCaller?>(
            context.Features.Get<TCaller>() ?? throw new InvalidOperationException($"The route takes a {typeof(TCaller).Name} but requires none"));

    /// <summary>Whether the connection came in on the internal listener, which no header can pretend.</summary>
    public static bool IsInternal(this HttpContext context) => context.Features.Get<InternalConnection>() is not null;

    /// <summary>The one value of a header; null when it is absent, empty, or sent more than once, which two readers could read differently.</summary>
    public static string? SingleHeader(this HttpRequest request, string name) =>
        request.Headers[name] is [{ Length: > 0 } value] && value.Trim() is { Length: > 0 } trimmed ? trimmed : null;

    /// <summary>What stands behind <c>Bearer</c>; null for another scheme or none.</summary>
    public static string? BearerToken(this HttpRequest request) =>
        request.SingleHeader("Authorization") is { } value && value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? value["Bearer ".Length..].Trim()
            : null;
}
