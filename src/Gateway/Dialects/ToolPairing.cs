using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// Sees to it, while a history is read, that every call has its result and every result its call. Results of one assistant turn are
/// gathered into one <see cref="TurnRole.Tool"/> turn directly after it.
/// </summary>
internal sealed class ToolPairing(List<Turn> turns, bool repair)
{
    private const string NoResult = """{"error":"no result"}""";

    private readonly List<string> open = [];
    private List<Part> results = [];

    public void Called(IReadOnlyList<Part> parts, Node place)
    {
        foreach (var part in parts)
        {
            if (part is Part.ToolCall call)
            {
                if (open.Contains(call.Id))
                {
                    throw place.Wrong($"holds two tool calls with the id '{call.Id}'", "duplicate_tool_call");
                }
                open.Add(call.Id);
            }
        }
    }

    public void Answered(Part.ToolResult result, Node place)
    {
        if (!open.Remove(result.Id))
        {
            throw place.Wrong(
                $"answers the tool call '{result.Id}', but the assistant turn before made no such call", "orphan_tool_result");
        }
        results.Add(result);
    }

    /// <summary>The run of results is over: another message follows, or none.</summary>
    public void Settle(string list)
    {
        if (open.Count > 0)
        {
            if (!repair)
            {
                throw Failure.Invalid($"The tool call '{open[0]}' has no result.", list, "missing_tool_result");
            }
            results.AddRange(open.Select(id => new Part.ToolResult(id, [new Part.Text(NoResult)], IsError: true)));
            open.Clear();
        }
        if (results.Count > 0)
        {
            turns.Add(new(TurnRole.Tool, results));
            results = [];
        }
    }
}
