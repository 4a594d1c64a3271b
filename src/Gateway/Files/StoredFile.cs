using System.Text.Json.Nodes;

namespace Stoa.Gateway.Files;

/// <summary>A file that a client uploaded, or that a batch made.</summary>
internal sealed record StoredFile
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string Name { get; init; }

    public required string Purpose { get; init; }

    public required long Bytes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>In the words of the API.</summary>
    public JsonObject Show() => new()
    {
        ["id"] = Id,
        ["object"] = "file",
        ["bytes"] = Bytes,
        ["created_at"] = CreatedAt.ToUnixTimeSeconds(),
        ["expires_at"] = ExpiresAt?.ToUnixTimeSeconds(),
        ["filename"] = Name,
        ["purpose"] = Purpose,
        ["status"] = "processed",
        ["status_details"] = null,
    };
}
