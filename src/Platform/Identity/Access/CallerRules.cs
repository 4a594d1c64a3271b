using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// What a route below <c>/api/stoa</c> says of its callers. Each puts the <see cref="AccessRule"/> for the API documents and what enforces
/// it on the route, and is asked before the body is read: a stranger learns nothing about what the route would make of his body.
/// </summary>
public static class CallerRules
{
    private static readonly AccessScheme[] KeyOrSession = [AccessScheme.BearerKey, AccessScheme.Session];

    /// <summary>Any live key or session.</summary>
    public static TBuilder RequireCaller<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new(AccessRule.Caller, KeyOrSession), static _ => { });

    /// <summary>At least this role in the organization that the caller acts for.</summary>
    public static TBuilder RequireCaller<TBuilder>(this TBuilder builder, MemberRole role)
        where TBuilder : IEndpointConventionBuilder => builder.Require(new(NameOf(role), KeyOrSession), caller => caller.Require(role));

    /// <summary>An admin of the organization that runs the installation.</summary>
    public static TBuilder RequireOperator<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.Require(new(AccessRule.Operator, KeyOrSession), static caller => caller.RequireOperator());

    /// <summary>A person who is signed in. A key, even an admin's, is refused: it must not touch what is somebody's own.</summary>
    public static TBuilder RequirePerson<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.Require(new(AccessRule.Person, AccessScheme.Session), static caller => caller.RequirePerson());

    private static TBuilder Require<TBuilder>(this TBuilder builder, AccessRule rule, Action<Caller> check)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.WithMetadata(rule);
        builder.Finally(endpoint =>
        {
            var handle = endpoint.RequestDelegate ?? throw new InvalidOperationException("The route has no handler");
            endpoint.RequestDelegate = async context =>
            {
                // A group's rule may be narrowed by its route: the last word counts, in the document as here.
                if (ReferenceEquals(context.GetEndpoint()?.Metadata.GetMetadata<AccessRule>(), rule))
                {
                    var caller = await context.RequestServices.GetRequiredService<Callers>().RequireAsync(context);
                    check(caller);
                    context.Features.Set(caller);
                }
                await handle(context);
            };
        });
        return builder;
    }

    private static string NameOf(MemberRole role) => role switch
    {
        MemberRole.Viewer => AccessRule.Viewer,
        MemberRole.Member => AccessRule.Member,
        MemberRole.Admin => AccessRule.Admin,
        MemberRole.Owner => AccessRule.Owner,
    };
}
