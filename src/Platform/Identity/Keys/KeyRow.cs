using System.Collections.Frozen;
using Npgsql;

namespace Stoa.Platform.Identity;

/// <summary>A key as it is stored and shown; its secret is not among what can be shown.</summary>
public sealed record KeyRow(
    Guid Id,
    Guid OrganizationId,
    string Name,
    string Prefix,
    bool IsAdmin,
    IReadOnlyList<string>? Models,
    IReadOnlyList<string>? Providers,
    int? RequestsPerMinute,
    int? TokensPerMinute,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    Guid? ReplacedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt,
    Guid? PrincipalId)
{
    internal const string Columns =
        "id, organization_id, name, prefix, is_admin, models, providers, requests_per_minute, tokens_per_minute, " +
        "expires_at, revoked_at, replaced_by, created_at, last_used_at, secret_hash, principal_id";

    internal static KeyRow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0),
        row.GetGuid(1),
        row.GetString(2),
        row.GetString(3),
        row.GetBoolean(4),
        Nullable<string[]>(row, 5),
        Nullable<string[]>(row, 6),
        Nullable<int?>(row, 7),
        Nullable<int?>(row, 8),
        Nullable<DateTimeOffset?>(row, 9),
        Nullable<DateTimeOffset?>(row, 10),
        Nullable<Guid?>(row, 11),
        row.GetFieldValue<DateTimeOffset>(12),
        Nullable<DateTimeOffset?>(row, 13),
        Nullable<Guid?>(row, 15));

    internal static ApiKey ReadForRing(NpgsqlDataReader row)
    {
        var key = Read(row);
        return new(
            key.Id, key.OrganizationId, key.Name, key.Prefix, row.GetFieldValue<byte[]>(14), key.IsAdmin,
            key.Models?.ToFrozenSet(StringComparer.Ordinal), key.Providers?.ToFrozenSet(StringComparer.Ordinal),
            key.RequestsPerMinute, key.TokensPerMinute, key.ExpiresAt);
    }

    private static T? Nullable<T>(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? default : row.GetFieldValue<T>(column);
}
