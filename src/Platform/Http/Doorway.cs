using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>Right after routing: what the route's group has asked for and every route would otherwise do by itself.</summary>
internal sealed class Doorway(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata is not { } metadata)
        {
            return next(context);
        }
        if (metadata.GetMetadata<InternalOnly>() is not null && context.Features.Get<InternalConnection>() is null)
        {
            // As if the route did not exist: an outsider learns nothing about it.
            context.SetEndpoint(null);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        if (metadata.GetMetadata<PageHeaders>() is not null)
        {
            PageHeaders.Apply(context.Response.Headers);
        }
        return metadata.GetMetadata<EventThread.Stay>() is not null
            ? next(context)
            : EventThread.RunOnPool(static state => Continue((Continuation)state!), new Continuation(next, context));
    }

    private static Task Continue(Continuation continuation) => continuation.Next(continuation.Context);

    private sealed record Continuation(RequestDelegate Next, HttpContext Context);
}

/// <summary>The feature of a connection that came in on the internal listener.</summary>
internal sealed class InternalConnection
{
    public static readonly InternalConnection Instance = new();
}

internal sealed class InternalOnly
{
    public static readonly InternalOnly Instance = new();
}

/// <summary>What a page tells the browser to refuse. It is for this visitor and this moment; what may be kept says so itself.</summary>
internal sealed class PageHeaders
{
    public static readonly PageHeaders Instance = new();

    public static void Apply(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            + "form-action 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-cache, no-store";
    }
}

public static class RouteMarks
{
    /// <summary>Answers only on the internal listener; elsewhere the route does not exist.</summary>
    public static TBuilder Internal<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(InternalOnly.Instance);

    /// <summary>Content policy without exceptions, no sniffing, no referrer to other sites, no framing, not kept.</summary>
    public static TBuilder WithPageHeaders<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(PageHeaders.Instance);
}
