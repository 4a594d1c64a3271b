using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>What the user says now: his text, and the pictures and files that he sent with it.</summary>
internal static class UserTurn
{
    /// <exception cref="Failure">Invalid: an attachment is none, or the model cannot take it.</exception>
    public static Turn Of(Run run)
    {
        var parts = new List<Part>();
        var capabilities = run.Choice.Document.ValidationConfig;
        foreach (var image in run.Input.Images)
        {
            if (capabilities.Member("vision").ValueKind == System.Text.Json.JsonValueKind.False)
            {
                throw Failure.Invalid("model does not support vision", "images", "unsupported_media");
            }
            parts.Add(new Part.Image(Media(image, "images", isImage: true)));
        }
        foreach (var file in run.Input.Files)
        {
            parts.Add(new Part.File(Media(file, "files", isImage: false)));
        }
        if (run.User.Length > 0 || parts.Count == 0)
        {
            parts.Add(new Part.Text(run.User));
        }
        return new(TurnRole.User, parts);
    }

    private static Media Media(string address, string field, bool isImage)
    {
        var place = new Node(System.Text.Json.JsonSerializer.SerializeToElement(address, GatewayJson.Default.String), name: field);
        return isImage ? MediaReading.ImageFrom(place)
            : address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? MediaReading.FromDataUri(place, address)
            : MediaReading.FromAddress(place);
    }
}
