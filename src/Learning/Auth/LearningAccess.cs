using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Auth;

/// <summary>
/// The credentials of SensAI's surface, whose front end sends none by itself: served below the front end's own origin, its browser calls
/// carry the session cookie.
/// </summary>
internal static class LearningAccess
{
    private static readonly AccessScheme Cookie = new("next_auth", AccessPlace.Cookie, "next-auth.session-token");
    private static readonly AccessScheme Token = new("learning_token", AccessPlace.Bearer);

    /// <summary>A person: by the session cookie, or by a bearer token.</summary>
    /// <param name="allowService">
    /// Also the front end's server on the internal listener, which sends no credential: for the sign-in and the reads of published
    /// data, and nothing else.
    /// </param>
    public static TBuilder RequireLearner<TBuilder>(this TBuilder builder, bool allowService = false)
        where TBuilder : IEndpointConventionBuilder => builder.RequireSurfaceCaller(
            new AccessRule(allowService ? "learner_or_service" : "learner", Cookie, Token), context => CallerAsync(context, allowService));

    /// <summary>Whatever is said of the request later, in logs and spans, names its path without the secret.</summary>
    public static TBuilder HideServiceToken<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Finally(endpoint =>
        {
            var handle = endpoint.RequestDelegate ?? throw new InvalidOperationException("The route has no handler");
            endpoint.RequestDelegate = context =>
            {
                var path = context.Request.Path.Value!.Split('/');
                // "", "learning", "_svc", the secret
                path[3] = "…";
                context.Request.Path = string.Join('/', path);
                return handle(context);
            };
        });
        return builder;
    }

    /// <summary>The same, where a refusal is told in another way than by a status.</summary>
    public static async ValueTask<LearningCaller> CallerAsync(HttpContext context, bool allowService)
    {
        var request = context.Request;
        // Whoever names a credential means it: a wrong one is not made good by the next.
        if (request.Headers.Authorization.Count > 0)
        {
            return await ByTokenAsync(context, request.BearerToken(), context.RequestAborted);
        }
        var sessions = context.RequestServices.GetRequiredService<NextAuthSessions>();
        if (sessions.TokenIn(request) is { } token)
        {
            var caller = sessions.Read(token) is { } claims ? LearningCaller.Of(claims, LearningProof.Session) : null;
            RequireOwnOrigin(context);
            return caller ?? throw Refused();
        }
        if (context.RequestServices.GetRequiredService<IOptions<LearningAuthOptions>>().Value.Mode == LearningAuthMode.Open)
        {
            return LearningCaller.Unproven;
        }
        return allowService && IsService(context) ? LearningCaller.Service : throw Refused();
    }

    /// <summary>On the internal listener, or behind the secret in the path.</summary>
    private static bool IsService(HttpContext context)
    {
        var sent = context.GetRouteValue("service_token")?.ToString();
        if (sent is null)
        {
            return context.IsInternal();
        }
        var isOurs = false;
        foreach (var token in context.RequestServices.GetRequiredService<IOptions<LearningAuthOptions>>().Value.ServiceTokens)
        {
            // All are compared, so that the time does not tell which one was near.
            isOurs |= SharedSecret.Matches(sent, token);
        }
        return isOurs;
    }

    private static async ValueTask<LearningCaller> ByTokenAsync(HttpContext context, string? token, CancellationToken ct)
    {
        if (token is null)
        {
            throw Refused();
        }
        if (context.RequestServices.GetRequiredService<LearningTokens>().TryRead(token, out var caller, out var isOver))
        {
            return caller;
        }
        var google = context.RequestServices.GetRequiredService<GoogleTokens>();
        if (isOver || !google.CanRead(token))
        {
            throw Refused(isOver);
        }
        try
        {
            var person = await google.VerifyAsync(token, ct);
            return new(UserId: null, person.Email, LearningProof.Google);
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Unauthenticated)
        {
            throw Refused(failure.IsOutdated);
        }
    }

    /// <summary>A browser adds the cookie to whatever page makes it call us, and says which page that is.</summary>
    private static void RequireOwnOrigin(HttpContext context)
    {
        if (!context.RequestServices.GetRequiredService<OwnOrigins>().Permits(context.Request))
        {
            throw Failure.Forbidden("Forbidden");
        }
    }

    private static Failure Refused(bool isOver = false) =>
        new(FailureKind.Unauthenticated, "unauthenticated", "Not authenticated") { IsOutdated = isOver };
}
