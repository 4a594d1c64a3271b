using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Who calls a route below <c>/api/stoa</c>. A handler takes it as a parameter; the group says <c>RequireApiKey</c>.</summary>
public sealed record StoaCaller(ApiKey Key)
{
    public Guid OrganizationId => Key.OrganizationId;

    /// <summary>How the audit names him.</summary>
    public string Actor => $"key:{Key.Id}";

    public static ValueTask<StoaCaller?> BindAsync(HttpContext context) => ValueTask.FromResult<StoaCaller?>(
        context.Features.Get<StoaCaller>() ?? throw new InvalidOperationException("The route takes a caller but does not require one"));
}

public static class StoaCallerExtensions
{
    private const string Scheme = "Bearer ";

    /// <summary>
    /// These routes answer only to <c>Authorization: Bearer</c> with a live key. It is asked before the body is read,
    /// so a stranger learns nothing about what a route would make of his body.
    /// </summary>
    public static TBuilder RequireApiKey<TBuilder>(this TBuilder builder, bool admin = false)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.DescribeApiKey();
        builder.Finally(endpoint =>
        {
            var handle = endpoint.RequestDelegate ?? throw new InvalidOperationException("The route has no handler");
            endpoint.RequestDelegate = context =>
            {
                context.Features.Set(new StoaCaller(Authenticate(context, admin)));
                return handle(context);
            };
        });
        return builder;
    }

    private static ApiKey Authenticate(HttpContext context, bool admin)
    {
        var ring = context.RequestServices.GetRequiredService<KeyRing>();
        if (!TryReadToken(context, out var token) || ring.Find(token) is not { } key)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw Failure.Unauthenticated("An API key is needed: Authorization: Bearer <key>");
        }
        ring.Used(key);
        return key.IsAdmin || !admin ? key : throw Failure.Forbidden("The key is not an admin's");
    }

    private static bool TryReadToken(HttpContext context, [NotNullWhen(true)] out string? token)
    {
        token = null;
        if (context.Request.Headers.Authorization is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            token = value[Scheme.Length..].Trim();
        }
        return token is not null;
    }
}
