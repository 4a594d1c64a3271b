using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Auth;

/// <summary>
/// The credentials of GTWY's surface: of <c>Authorization</c>, <c>proxy_auth_token</c> and <c>pauthkey</c> the first that is sent counts,
/// and a wrong one is not made good by the next. All refusals read alike, whether the credential is unknown, expired or broken.
/// </summary>
internal static class GtwyAccess
{
    /// <summary>The <c>botId</c> of agents that everybody may use.</summary>
    public const string PublicAgents = "Public_Agents";

    private const string Refusal = "unauthorized user";

    private static readonly AccessScheme Token = new("gtwy_token", AccessPlace.Header, "Authorization");
    private static readonly AccessScheme Session = new("gtwy_session", AccessPlace.Header, "proxy_auth_token");
    private static readonly AccessScheme OrganizationKey = new("pauthkey", AccessPlace.Header, "pauthkey");
    private static readonly AccessScheme ManagementKey = new("pauthtoken", AccessPlace.Header, "pauthtoken");

    /// <summary>Runtime and management routes: a user or an organization.</summary>
    /// <param name="alsoPauthToken">Management routes take the key as <c>pauthtoken</c> too.</param>
    public static TBuilder RequireGtwyCaller<TBuilder>(this TBuilder builder, bool alsoPauthToken = false)
        where TBuilder : IEndpointConventionBuilder => builder.Require("gtwy_caller", alsoPauthToken);

    /// <summary>
    /// Says of a management route that viewers are refused, unless an agent names them. That depends on the agent, so the handler keeps it
    /// (<see cref="GtwyCaller.RequireEditor()"/>).
    /// </summary>
    public static TBuilder RequireGtwyEditor<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require("gtwy_editor", alsoPauthToken: true);

    /// <summary>The same for what only admins may: <see cref="GtwyCaller.RequireAdmin"/>.</summary>
    public static TBuilder RequireGtwyAdmin<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require("gtwy_admin", alsoPauthToken: true);

    /// <summary>The same for admins of the organization <c>default</c>: <see cref="GtwyCaller.RequireOperator"/>.</summary>
    public static TBuilder RequireGtwyOperator<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require("gtwy_operator", alsoPauthToken: true);

    private static TBuilder Require<TBuilder>(this TBuilder builder, string rule, bool alsoPauthToken)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            alsoPauthToken
                ? new AccessRule(rule, Token, Session, OrganizationKey, ManagementKey)
                : new AccessRule(rule, Token, Session, OrganizationKey),
            context => CallerAsync(context, alsoPauthToken));

    /// <summary>The same where the client is a browser's socket or stream, which can send no header.</summary>
    /// <param name="parameter">The parameter of the query that holds the token or key, where no header does.</param>
    public static TBuilder RequireGtwyCallerAlsoBy<TBuilder>(this TBuilder builder, string parameter)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            new AccessRule(
                "gtwy_caller", Token, Session, OrganizationKey, new AccessScheme($"gtwy_{parameter}", AccessPlace.Query, parameter)),
            context => CallerAsync(context, parameter));

    /// <summary>Whether the credential of such a stream, long after it began, would open it still.</summary>
    public static async ValueTask<bool> IsStillGoodAsync(HttpContext context, string parameter)
    {
        try
        {
            await CallerAsync(context, parameter);
            return true;
        }
        catch (Failure)
        {
            return false;
        }
    }

    private static async ValueTask<GtwyCaller> CallerAsync(HttpContext context, string parameter) =>
        context.Request.Query[parameter] is [{ Length: > 0 } sent] && !IsSent(context.Request, "Authorization")
            ? await ByAuthorizationAsync(context, sent)
            : await CallerAsync(context, alsoPauthToken: false);

    /// <summary>Routes below <c>/chatbot/{botId}</c>: a chatbot's user, or anybody's for public agents.</summary>
    public static TBuilder RequireChatbotCaller<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            new AccessRule("chatbot", Token), context => ValueTask.FromResult(Chatbot(context)));

    private static async ValueTask<GtwyCaller> CallerAsync(HttpContext context, bool alsoPauthToken)
    {
        var request = context.Request;
        if (IsSent(request, "Authorization"))
        {
            return await ByAuthorizationAsync(context, request.BearerToken() ?? request.SingleHeader("Authorization"));
        }
        if (IsSent(request, "proxy_auth_token"))
        {
            return await BySessionAsync(context, request.SingleHeader("proxy_auth_token")) ?? throw Refused();
        }
        var key = IsSent(request, "pauthkey") || !alsoPauthToken ? request.SingleHeader("pauthkey") : request.SingleHeader("pauthtoken");
        return ByKey(context, key) ?? throw Refused();
    }

    /// <summary>A signed token has two dots, a key of ours has none.</summary>
    private static async ValueTask<GtwyCaller> ByAuthorizationAsync(HttpContext context, string? sent)
    {
        if (sent?.Contains('.', StringComparison.Ordinal) != true)
        {
            return ByKey(context, sent) ?? throw Refused();
        }
        var services = context.RequestServices;
        var (claims, fault) = services.GetRequiredService<GtwyTokens>().ReadUser(sent);
        return claims is not null
            && await GtwyCaller.OfAsync(claims, services.GetRequiredService<OrganizationNames>(), context.RequestAborted)
                is { } caller ? caller
            : throw Refused(fault == TokenFault.Revoked ? "token revoked" : Refusal, fault);
    }

    private static GtwyCaller? ByKey(HttpContext context, string? token)
    {
        var ring = context.RequestServices.GetRequiredService<KeyRing>();
        if (token is null || ring.Find(token) is not { } key)
        {
            return null;
        }
        ring.Used(key);
        return GtwyCaller.Of(key);
    }

    /// <summary>The identity service of the original is ours: its session is the session of a person here.</summary>
    private static async ValueTask<GtwyCaller?> BySessionAsync(HttpContext context, string? token) =>
        token is not null
            && await context.RequestServices.GetRequiredService<SessionCache>().FindAsync(token, context.RequestAborted) is { } session
            ? GtwyCaller.Of(session)
            : null;

    private static ChatbotCaller Chatbot(HttpContext context)
    {
        if (!IsSent(context.Request, "Authorization"))
        {
            throw new Failure(FailureKind.Unauthenticated, RuntimeErrors.TokenMissing, "invalid token");
        }
        var isPublic = context.Request.RouteValues["botId"] is PublicAgents;
        var token = context.Request.BearerToken() ?? context.Request.SingleHeader("Authorization") ?? "";
        var (claims, fault) = context.RequestServices.GetRequiredService<GtwyTokens>().ReadChatbot(token, isPublic);
        return claims is not null && ChatbotCaller.Of(claims, isPublic) is { } caller ? caller
            : throw Refused(fault == TokenFault.Expired ? $"{Refusal}: token expired" : Refusal, fault);
    }

    private static bool IsSent(HttpRequest request, string name) => request.Headers[name].Any(value => !string.IsNullOrWhiteSpace(value));

    private static Failure Refused(string message = Refusal, TokenFault? fault = null) =>
        new(FailureKind.Unauthenticated, "unauthorized", message) { IsOutdated = fault is TokenFault.Expired or TokenFault.Revoked };
}
