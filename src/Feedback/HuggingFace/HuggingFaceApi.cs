using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.HuggingFace;

/// <summary>Asks the model itself, for trusted programs.</summary>
internal static class HuggingFaceApi
{
    public static void MapHuggingFace(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/hf/text_toxicity", ToxicityAsync).TakesQuery(Text)
            .WithTags("hf").WithSummary("How toxic a text is, as the model says it")
            .RequireTrustedClient();

    /// <summary>The answer goes through as it is; anything but an answer is code 3001.</summary>
    internal static async Task<Ok<JsonElement>> ToxicityAsync(HttpRequest request, HuggingFaceClient client, CancellationToken ct)
    {
        var text = WireQuery.Read(request, Text);
        try
        {
            return TypedResults.Ok(await client.ToxicityAsync(text, ct));
        }
        catch (HuggingFaceException error)
        {
            throw FeedbackCode.HuggingFaceApiError.Refusal(error.Message);
        }
    }

    private static string Text(WireQuery query) => query.RequiredText("msg") ?? "";
}
