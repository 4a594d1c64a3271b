using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Search;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Agreement;

/// <summary>
/// How far annotators agree with each other and with what is known. Their work belongs to the installation, so operators see it.
/// </summary>
internal static class AgreementApi
{
    public static void MapAgreement(this IEndpointRouteBuilder routes)
    {
        var feedback = routes.MapGroup("/feedback").WithTags("Feedback").RequireOperator();
        feedback.MapGet("/agreement", AgreementAsync).WithSummary("Krippendorff's alpha of each label, Kendall's W of rankings");
        feedback.MapGet("/gold", ListAsync).WithSummary("List messages of which it is known what is true");
        feedback.MapPut("/gold/{message_id:guid}", SetAsync).WithSummary("Say what is true of a message");
        feedback.MapGet("/messages/{message_id:guid}/similar", SimilarAsync).WithSummary("Find messages that say nearly the same");
        feedback.MapGet("/annotators", AnnotatorsAsync).WithSummary("How annotators did on messages of which it is known what is true");
    }

    internal static async Task<Ok<AgreementView>> AgreementAsync(
        AgreementFigures figures, CancellationToken ct, string? lang = null, DateTimeOffset? from = null, DateTimeOffset? before = null)
    {
        if (lang is { Length: > 32 } || lang?.Contains('\0', StringComparison.Ordinal) == true)
        {
            throw Failure.Invalid("lang is no language", "lang");
        }
        return TypedResults.Ok(await figures.OfAsync(lang, from?.ToUniversalTime(), before?.ToUniversalTime(), ct));
    }

    internal static async Task<Ok<Listing<GoldItem>>> ListAsync(
        GoldLabels gold, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(limit, most => gold.ListAsync(after, most, ct), item => item.MessageId));

    internal static async Task<NoContent> SetAsync(
        [FromRoute(Name = "message_id")] Guid messageId, NewGold body, Caller caller, GoldLabels gold, CancellationToken ct)
    {
        Failure.ThrowIfAny(GoldLabels.Check(body.Labels));
        await gold.SetAsync(messageId, body.Labels!, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<Listing<AnnotatorTrust>>> AnnotatorsAsync(
        GoldLabels gold, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(limit, most => gold.TrustAsync(after, most, ct), annotator => annotator.UserId));

    internal static async Task<Ok<SimilarMessagesView>> SimilarAsync(
        [FromRoute(Name = "message_id")] Guid messageId, SimilarMessages messages,
        CancellationToken ct, double? from = null, int limit = 20) =>
        from is null or (>= -1 and <= 1)
            ? TypedResults.Ok(new SimilarMessagesView(await messages.OfAsync(messageId, from, Listing.Checked(limit), ct)))
            : throw Failure.Invalid("from is a cosine, -1 to 1", "from");

    /// <param name="Labels">Name of the label: 0 to 1. Empty: the message is off the list.</param>
    internal sealed record NewGold(IReadOnlyDictionary<string, double>? Labels);
}
