using Stoa.Platform.Http;

namespace Stoa.Gateway.Files;

/// <summary>What can go wrong with files.</summary>
internal static class FileFailures
{
    public static Failure Missing(string id, string field = "id") =>
        new(FailureKind.NotFound, "not_found", $"No such file: {(id.Length > 100 ? id[..100] : id)}", [new(field, "unknown")]);

    public static Failure NoForm() =>
        new(FailureKind.UnsupportedMedia, "unsupported_media_type", "Send the file as multipart/form-data");

    public static Failure MissingField(string name) =>
        Failure.Invalid($"Missing required parameter: '{name}'.", name, "missing_required_parameter");
}
