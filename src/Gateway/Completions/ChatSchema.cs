using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Stoa.Gateway.Completions;

/// <summary>
/// The shapes of chat requests for the API document. Requests are not bound to them: a body is forwarded as it came, or read by its
/// dialect, and fields that are not named here pass too.
/// </summary>
internal static class ChatSchema
{
    internal sealed record OpenAiRequest(
        [property: Required, Description("provider/model, or a bare model name that a provider lists")] string Model,
        [property: Required, MinLength(1)] IReadOnlyList<OpenAiMessage> Messages,
        bool Stream,
        OpenAiStreamOptions? StreamOptions,
        [property: Range(0, 2)] double? Temperature,
        [property: Range(0, 1)] double? TopP,
        [property: Range(1, 128)] int? N,
        [property: Description("Upper bound of the answer's tokens, reasoning included")] int? MaxCompletionTokens,
        [property: Description("A text or up to four")] JsonElement? Stop,
        IReadOnlyList<OpenAiTool>? Tools,
        [property: Description("none, auto, required, or {type: function, function: {name}}")] JsonElement? ToolChoice,
        bool? ParallelToolCalls,
        [property: Description(
            "{type: text | json_object | json_schema, json_schema: {name, schema, strict}}")] JsonElement? ResponseFormat,
        [property: Description("none, minimal, low, medium, high, xhigh")] string? ReasoningEffort,
        long? Seed,
        [property: Range(-2, 2)] double? FrequencyPenalty,
        [property: Range(-2, 2)] double? PresencePenalty,
        string? User);

    internal sealed record OpenAiStreamOptions(bool? IncludeUsage);

    internal sealed record OpenAiMessage(
        [property: Required, AllowedValues("system", "developer", "user", "assistant", "tool")] string Role,
        [property: Description("A text, or parts: text, image_url, input_audio, file")] JsonElement Content,
        string? Name,
        string? ToolCallId,
        IReadOnlyList<OpenAiToolCall>? ToolCalls);

    internal sealed record OpenAiToolCall(string Id, string Type, OpenAiFunctionCall Function);

    internal sealed record OpenAiFunctionCall(string Name, [property: Description("JSON text")] string Arguments);

    internal sealed record OpenAiTool(string Type, OpenAiFunction Function);

    internal sealed record OpenAiFunction(
        string Name, string? Description, [property: Description("A JSON Schema")] JsonElement? Parameters, bool? Strict);

    internal sealed record AnthropicRequest(
        [property: Required, Description("provider/model, or a bare model name that a provider lists")] string Model,
        [property: Required, MinLength(1)] IReadOnlyList<AnthropicMessage> Messages,
        [property: Required, Range(1, int.MaxValue)] int MaxTokens,
        [property: Description("A text, or text blocks")] JsonElement? System,
        bool Stream,
        [property: Range(0, 1)] double? Temperature,
        [property: Range(0, 1)] double? TopP,
        int? TopK,
        IReadOnlyList<string>? StopSequences,
        IReadOnlyList<AnthropicTool>? Tools,
        [property: Description("{type: auto | any | tool | none, name, disable_parallel_tool_use}")] JsonElement? ToolChoice,
        [property: Description("{type: enabled, budget_tokens} or {type: disabled}")] JsonElement? Thinking);

    internal sealed record AnthropicMessage(
        [property: Required, AllowedValues("user", "assistant")] string Role,
        [property: Description("A text, or blocks: text, image, document, tool_use, tool_result, thinking")] JsonElement Content);

    internal sealed record AnthropicTool(
        string Name, string? Description, [property: Description("A JSON Schema")] JsonElement InputSchema);

    internal sealed record EmbeddingsRequest(
        [property: Required, Description("provider/model, or a bare model name that a provider lists")] string Model,
        [property: Required, Description("A text, up to 2048 texts, or tokens")] JsonElement Input,
        [property: Range(1, 65_536)] int? Dimensions,
        [property: AllowedValues("float", "base64")] string? EncodingFormat,
        string? User);
}
