using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Stoa.Gateway.Responses;

/// <summary>The shape of a request for the API document. As with chats, nothing is bound to it.</summary>
internal static class ResponseSchema
{
    internal sealed record Request(
        [property: Required, Description("provider/model, or a bare model name that a provider lists")] string Model,
        [property: Required, Description("A text, or items: message, function_call, function_call_output, reasoning")] JsonElement Input,
        string? Instructions,
        bool Stream,
        [property: Description("Keep the response for thirty days, so that it can be read and gone on from")] bool? Store,
        [property: Description("The response to go on from")] string? PreviousResponseId,
        [property: Description("Answer at once, and make the response in the background")] bool? Background,
        [property: Range(1, int.MaxValue)] int? MaxOutputTokens,
        [property: Range(0, 2)] double? Temperature,
        [property: Range(0, 1)] double? TopP,
        [property: Description(
            "{type: function, name, parameters, strict}, and OpenAI's own tools where OpenAI answers")] JsonElement? Tools,
        [property: Description("none, auto, required, or {type: function, name}")] JsonElement? ToolChoice,
        bool? ParallelToolCalls,
        [property: Description("{format: {type: text | json_object | json_schema, name, schema, strict}}")] JsonElement? Text,
        [property: Description("{effort: none | minimal | low | medium | high | xhigh}")] JsonElement? Reasoning,
        IReadOnlyDictionary<string, string>? Metadata);
}
