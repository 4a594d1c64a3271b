using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>Shows a model the pictures and files of earlier questions of the conversation, as far as it can take them.</summary>
/// <param name="shown">Those that the question itself comes with: they are not shown twice.</param>
internal sealed class AttachmentReading(ModelDocument model, IReadOnlyCollection<string> shown)
{
    /// <summary>Marks what came with a question because it was uploaded for the conversation: it comes with each, for its time.</summary>
    public const string OfThread = "remembered";

    private readonly bool sees = model.ValidationConfig.Member("vision").ValueKind == JsonValueKind.True;
    private readonly bool reads = model.ValidationConfig.Member("files").ValueKind == JsonValueKind.True;

    /// <param name="attachments"><c>[{url, type}]</c>. Those that came inside their request are not kept.</param>
    public IEnumerable<Part> PartsOf(string? attachments)
    {
        if (attachments is null || !JsonFields.TryParse(attachments, out var json))
        {
            yield break;
        }
        foreach (var (url, type) in (json as System.Text.Json.Nodes.JsonArray).Objects().Where(one => !one.Is(OfThread))
            .Select(one => (one.Name("url"), one.Text("type"))))
        {
            if (url is null || shown.Contains(url) || !Uri.TryCreate(url, UriKind.Absolute, out var address)
                || address.Scheme is not ("http" or "https"))
            {
                continue;
            }
            // A video or a recording is long, and a provider keeps it for two days: it is shown with its own question alone.
            if (type is not ("audio" or "video") && (type == "image" ? sees : reads))
            {
                var media = new Media.Url(url) { IsOptional = true };
                yield return type == "image" ? new Part.Image(media) : new Part.File(media);
            }
        }
    }
}
