using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Collection;

/// <summary>The seam to what was served: conversations come in as trees, preferences go out.</summary>
internal static class CollectionApi
{
    public static void MapCollection(this IEndpointRouteBuilder routes)
    {
        var feedback = routes.MapGroup("/feedback").WithTags("Feedback");
        feedback.MapPost("/trees", AddAsync).RequireCaller(MemberRole.Member)
            .WithSummary("Make trees of conversations with several replies, ready to be ranked");
        feedback.MapGet("/preferences", PreferencesAsync).RequireCaller(MemberRole.Viewer)
            .WithSummary("How often people placed one source before another");
    }

    internal static async Task<Ok<MadeTrees>> AddAsync(
        NewTrees body, Caller caller, AgentAnswers answers, ServedTrees trees, CancellationToken ct)
    {
        body = await answers.FillAsync(caller.OrganizationId, body, ct);
        Failure.ThrowIfAny(body.Check());
        return TypedResults.Ok(await trees.AddAsync(caller.OrganizationId, body, ct));
    }

    internal static async Task<Ok<PreferenceFigures>> PreferencesAsync(
        Caller caller, Preferences preferences, CancellationToken ct, DateTimeOffset? from = null, DateTimeOffset? before = null) =>
        TypedResults.Ok(await preferences.OfAsync(caller.OrganizationId, from?.ToUniversalTime(), before?.ToUniversalTime(), ct));
}
