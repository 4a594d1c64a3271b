using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>A whole <c>response</c> for a client.</summary>
internal static class ResponsesAnswerWriter
{
    public static void Write(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output)
    {
        var state = ResponsesState.Of(answer.FinishReason);
        var json = JsonOutput.Open(output);
        ResponsesObject.Write(
            json, request, head, answer.Model, state, (answer.Parts, head.Id, state), WriteItems, answer.Usage, answer.ServiceTier);
        JsonOutput.Close(json);
    }

    private static void WriteItems(Utf8JsonWriter json, (IReadOnlyList<Part> Parts, string Id, ResponsesState State) answer)
    {
        var status = answer.State.Status == "completed" ? "completed" : "incomplete";
        var parts = answer.Parts.Where(ResponsesItems.Has).ToList();
        for (var index = 0; index < parts.Count; index++)
        {
            ResponsesItems.Write(json, parts[index], ResponsesItems.IdOf(parts[index], answer.Id, index), status);
        }
    }
}
