using System.Collections.Frozen;

namespace Stoa.Platform.Identity;

/// <summary>An API key as the request path sees it: immutable, held in memory by <see cref="KeyRing"/>.</summary>
/// <param name="Models">Model names the key may use, as clients write them; null means any.</param>
/// <param name="Providers">Provider names the key may use; null means any.</param>
/// <param name="RequestsPerMinute">Null means no limit.</param>
/// <param name="TokensPerMinute">Input and output tokens together; null means no limit.</param>
public sealed record ApiKey(
    Guid Id,
    Guid OrganizationId,
    string Name,
    string Prefix,
    ReadOnlyMemory<byte> Hash,
    bool IsAdmin,
    FrozenSet<string>? Models,
    FrozenSet<string>? Providers,
    int? RequestsPerMinute,
    int? TokensPerMinute,
    DateTimeOffset? ExpiresAt);
