using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Messages;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Labels;

/// <summary>Labels and reports, and which labels there are.</summary>
internal static class TextLabelsApi
{
    public static void MapTextLabels(this IEndpointRouteBuilder routes)
    {
        var labels = routes.MapGroup("/text_labels").WithTags("text_labels");
        labels.MapPost("/", LabelAsync).RequireApiClient().WithSummary("Label a message, or report it").TakesBody(TextLabels.Read);
        labels.MapGet("/valid_labels", ValidAsync).TakesQuery(MessageId)
            .RequireApiClient().WithSummary("The labels that a message can be given");
        labels.MapGet("/report_labels", Reports).AllowAnyone().WithSummary("The labels that a report can name");
    }

    internal static async Task<NoContent> LabelAsync(HttpContext context, ApiClient client, Interactions interactions, CancellationToken ct)
    {
        var given = await WireBody.ReadAsync(context, TextLabels.Read);
        try
        {
            await interactions.LabelAsync(client, given, ct);
        }
        catch (Failure failure) when (FeedbackFailures.NumberOf(failure) == (int)FeedbackCode.TaskInteractionRequestFailed)
        {
            throw new Failure(FailureKind.Invalid, OasstErrors.BadRequest, failure.Message);
        }
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<ValidLabelsResponse>> ValidAsync(
        HttpRequest request, ApiClient client, MessageViews views, CancellationToken ct)
    {
        var id = WireQuery.Read(request, MessageId);
        if (id is null)
        {
            return TypedResults.Ok(new ValidLabelsResponse(Label.AllBut(Label.FailsTask)));
        }
        var message = await views.OneAsync(id.Value, actingId: null, ct);
        return TypedResults.Ok(new ValidLabelsResponse(
            Label.Describe(message is { ParentId: not null, IsAssistant: true } ? Label.OfAssistant : Label.OfPrompter)));
    }

    private static Guid? MessageId(WireQuery query) => query.Id("message_id");

    internal static Ok<ValidLabelsResponse> Reports() => TypedResults.Ok(new ValidLabelsResponse(Label.Describe(Label.OfReport)));
}
