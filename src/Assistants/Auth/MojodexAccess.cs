using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Auth;

/// <summary>
/// The credentials of Mojodex's surface, all in <c>Authorization</c> and without a scheme: a user's token, or a service's secret. The texts
/// of the refusals are the surface's; clients log them.
/// </summary>
internal static class MojodexAccess
{
    private static readonly AccessScheme Token = new("mojodex_token", AccessPlace.Header, "Authorization");
    private static readonly AccessScheme Secret = new("mojodex_secret", AccessPlace.Header, "Authorization");

    /// <summary>A user.</summary>
    public static TBuilder RequireMojodexUser<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireSurfaceCaller(new AccessRule("mojodex_user", Token), context => UserAsync(context));

    /// <summary>One of these services.</summary>
    public static TBuilder RequireMojodexService<TBuilder>(this TBuilder builder, params MojodexService[] services)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            new AccessRule("mojodex_service", Secret), context => ValueTask.FromResult(Service(context, services) ?? throw Wrong()));

    /// <summary>One of these services, else a user.</summary>
    public static TBuilder RequireMojodexUserOrService<TBuilder>(this TBuilder builder, params MojodexService[] services)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            new AccessRule("mojodex_user_or_service", Token, Secret),
            context => IsSent(context) && Service(context, services) is { } service ? ValueTask.FromResult(service) : UserAsync(context));

    /// <summary>
    /// Routes below <c>/background</c>: they exist on the internal listener only. A secret is not needed there, but a wrong one is refused.
    /// </summary>
    public static TBuilder RequireBackgroundCaller<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Internal().RequireSurfaceCaller(
            new AccessRule("mojodex_background", Secret), context => ValueTask.FromResult(
                !IsSent(context) ? new MojodexCaller(UserId: null, MojodexService.Background)
                : Service(context, [MojodexService.Background]) ?? throw Wrong()));

    private static async ValueTask<MojodexCaller> UserAsync(HttpContext context)
    {
        if (!IsSent(context))
        {
            throw Failure.Forbidden("Authorization key required");
        }
        var (user, fault) = await context.RequestServices.GetRequiredService<MojodexTokens>()
            .ReadAsync(Sent(context) ?? "", context.RequestAborted);
        var isOver = fault is TokenFault.Expired or TokenFault.Revoked;
        return user is not null
            ? new(user, Service: null)
            : throw new Failure(FailureKind.Forbidden, "forbidden", isOver ? "Token expired." : "Invalid token.") { IsOutdated = isOver };
    }

    private static MojodexCaller? Service(HttpContext context, MojodexService[] services)
    {
        if (!IsSent(context))
        {
            throw Failure.Forbidden("Missing Authorization secret in headers");
        }
        var options = context.RequestServices.GetRequiredService<IOptions<MojodexAuthOptions>>().Value;
        MojodexService? found = null;
        foreach (var service in services)
        {
            // All are compared: the time tells neither which service there is nor how near the secret was.
            found = SharedSecret.Matches(Sent(context), SecretOf(service, options)) ? service : found;
        }
        return found is null ? null : new(UserId: null, found);
    }

    private static string? SecretOf(MojodexService service, MojodexAuthOptions options) => service switch
    {
        MojodexService.Scheduler => options.SchedulerSecret,
        MojodexService.Background => options.BackgroundSecret,
        MojodexService.Backoffice => options.BackofficeSecret,
        MojodexService.Webapp => options.WebappSecret,
        MojodexService.PurchaseUpdater => options.PurchaseUpdaterSecret,
    };

    private static bool IsSent(HttpContext context) => context.Request.Headers.Authorization.Count > 0;

    private static string? Sent(HttpContext context) => context.Request.SingleHeader("Authorization");

    private static Failure Wrong() => Failure.Forbidden("Authentication error : Wrong secret");
}
