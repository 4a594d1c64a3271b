using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Responses;

/// <summary>A response that its client may read again, and go on from.</summary>
/// <param name="Provider">Whose model answered.</param>
/// <param name="IsUpstream">That provider keeps it under the same id too.</param>
/// <param name="Response">The <c>response</c> object.</param>
/// <param name="Input">Its input as a list of items, those that it went on from among them.</param>
internal sealed record StoredResponse(
    Guid OrganizationId, string Id, string Status, string Provider,
    bool IsUpstream, ReadOnlyMemory<byte> Response, ReadOnlyMemory<byte> Input)
{
    public bool IsUnderWay => Status is "queued" or "in_progress";

    /// <param name="answer">A whole answer, or the events of a stream that hold its end.</param>
    public static StoredResponse Of(
        ReadOnlyMemory<byte> answer, Guid organizationId, string provider, bool isUpstream, ReadOnlyMemory<byte> input)
    {
        var response = ObjectIn(answer.Span).ToArray();
        using var document = JsonBody.OpenAnswer(response);
        var root = document.RootElement;
        return root.TextOf("id") is { Length: > 0 and <= 128 } id
            ? new(organizationId, id, root.TextOf("status") ?? "completed", provider, isUpstream, response, input)
            : throw ProviderFaults.InvalidAnswer("The provider's response has no id");
    }

    private static ReadOnlySpan<byte> ObjectIn(ReadOnlySpan<byte> answer)
    {
        if (answer.TrimStart(" \r\n\t"u8) is [(byte)'{', ..])
        {
            return answer;
        }
        var frames = new SseReader(answer);
        ReadOnlySpan<byte> response = default;
        while (frames.Next())
        {
            response = JsonMembers.Find(frames.Data, "response"u8) is { IsEmpty: false } found ? found : response;
        }
        return response;
    }
}

/// <summary>What a response in the background is made of.</summary>
/// <param name="Headers">What its client asked of the Gateway itself; null when this installation cannot open it.</param>
internal sealed record ResponseTask(
    ReadOnlyMemory<byte> Response, ReadOnlyMemory<byte> Request, Guid KeyId,
    string KeyPrefix, IReadOnlyDictionary<string, string>? Headers);

/// <summary>Makes a response that was asked for in the background.</summary>
internal sealed record MakeResponse(Guid OrganizationId, string ResponseId);
