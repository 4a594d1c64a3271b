using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Uploads;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Pictures that a model draws in the midst of a conversation, by OpenAI's own tool (<c>image_generation</c> among the built-in tools):
/// they become files of ours, and stand in <c>images</c> of the answer.
/// </summary>
internal sealed class DrawnPictures(PublicFiles files)
{
    public const string ToolName = "image_generation";

    private const string Item = "image_generation_call";
    private const int Most = 10;

    /// <summary>Whether the model of this run may draw: only OpenAI's Responses API has it.</summary>
    public static bool AreWanted(Run run) =>
        run.Choice.Target.Provider.HasResponses && run.BuiltInTools.Contains(ToolName, StringComparer.Ordinal);

    public async ValueTask KeepAsync(Run run, ChatAnswer answer, CancellationToken ct)
    {
        foreach (var drawn in answer.Parts.OfType<Part.Foreign>().Where(part => part.Kind == Item))
        {
            if (run.MadeUrls.Count >= Most || !drawn.Block.Member("result").IsPresent()
                || !drawn.Block.Member("result").TryGetBytesFromBase64(out var bytes))
            {
                continue;
            }
            using var content = new MemoryStream(bytes, writable: false);
            if (await files.SaveAsync(run.Request.OrganizationId, content, ct) is { } path)
            {
                var address = files.AddressOf(path);
                run.MadeUrls.Add((JsonNode)new JsonObject
                {
                    ["type"] = "image", ["url"] = address, ["permanent_url"] = address,
                    ["revised_prompt"] = drawn.Block.TextOf("revised_prompt"),
                });
            }
        }
    }
}
