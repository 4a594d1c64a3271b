using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Http;

/// <summary>How a surface with credentials of its own finds its caller. It belongs to the route group, so no other knows it.</summary>
public static class SurfaceAccess
{
    /// <summary>
    /// States the rule and enforces it: <paramref name="authenticate"/> is asked once, before the body is read, and throws a
    /// <see cref="Failure"/> or gives the caller, whom handlers then take by <see cref="SurfaceCaller{TCaller}"/>.
    /// </summary>
    public static TBuilder RequireSurfaceCaller<TBuilder, TCaller>(
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
                    context.Features.Set(await AskAsync(context, rule, authenticate));
                }
                await handle(context);
            };
        });
        return builder;
    }

    // Secrets of the surfaces are chosen by people, so who has tried too many is not told even that one is right. A cookie is sealed, and
    // goes bad in many browsers at once when its secret is changed; it is no guess. Our own processes, on the internal listener, are never
    // kept out by what others try.
    private static async ValueTask<TCaller> AskAsync<TCaller>(
        HttpContext context, AccessRule rule, Func<HttpContext, ValueTask<TCaller>> authenticate)
    {
        var sent = string.Concat(rule.Schemes.Where(scheme => scheme.Place != AccessPlace.Cookie)
            .Select(scheme => scheme.SentIn(context.Request)));
        if (sent.Length == 0 || context.IsInternal())
        {
            return await authenticate(context);
        }
        var guesses = context.RequestServices.GetRequiredService<Guesses>();
        guesses.Check(context);
        try
        {
            return await authenticate(context);
        }
        catch (Failure refusal) when (refusal is { Kind: FailureKind.Unauthenticated or FailureKind.Forbidden, IsOutdated: false })
        {
            throw guesses.Count(context, sent, refusal);
        }
    }

    /// <summary>For the <c>BindAsync</c> of a caller's type.</summary>
    public static ValueTask<TCaller?> SurfaceCaller<TCaller>(this HttpContext context)
        where TCaller : class => ValueTask.FromResult<TCaller?>(
            context.Features.Get<TCaller>()
            ?? throw new InvalidOperationException($"The route takes a {typeof(TCaller).Name} but requires none"));

    /// <summary>Whether the connection came in on the internal listener, which no header can pretend.</summary>
    public static bool IsInternal(this HttpContext context) => context.Features.Get<InternalConnection>() is not null;
}
