using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using NpgsqlTypes;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Takes the secrets out of a run before it travels (provider keys, receivers' credentials, headers of tools) and puts them back before it
/// runs. In between they stand sealed in the database, under the run's <see cref="QueuedRun.KeyRef"/>.
/// </summary>
internal sealed class RunSecrets(NpgsqlDataSource source, IDataProtectionProvider protection, TimeProvider time)
{
    private static readonly HashSet<string> Names = new(
        ["apikey", "api_key", "apikeys", "api_keys", "headers", "auth", "cred", "authorization", "pauthkey"],
        StringComparer.OrdinalIgnoreCase);

    private readonly IDataProtector seal = protection.CreateProtector("stoa.queued_runs");

    /// <summary>The run without its secrets, and these by the path of each; null when there are none.</summary>
    public static (QueuedRun Run, JsonObject? Secrets) Split(QueuedRun run)
    {
        var secrets = new JsonObject();
        var (request, format) = ((JsonObject)run.Request.DeepClone(), (JsonObject)run.ResponseFormat.DeepClone());
        Cut(request, "request", secrets);
        Cut(format, "response_format", secrets);
        return secrets.Count == 0 ? (run, null) : (run with { Request = request, ResponseFormat = format }, secrets);
    }

    public static QueuedRun Join(QueuedRun run, JsonObject secrets)
    {
        var whole = new JsonObject { ["request"] = run.Request.DeepClone(), ["response_format"] = run.ResponseFormat.DeepClone() };
        foreach (var (path, secret) in secrets)
        {
            Put(whole, path.Split('/'), secret?.DeepClone());
        }
        return run with { Request = (JsonObject)whole["request"]!.DeepClone(),
            ResponseFormat = (JsonObject)whole["response_format"]!.DeepClone() };
    }

    public byte[] Seal(JsonObject secrets) => seal.Protect(JsonSerializer.SerializeToUtf8Bytes(secrets, GatewayJson.Default.JsonObject));

    public JsonObject Unseal(byte[] secrets) => JsonSerializer.Deserialize(seal.Unprotect(secrets), GatewayJson.Default.JsonObject)!;

    /// <summary>Committed when it returns.</summary>
    public async Task<Guid> KeepAsync(Guid organizationId, JsonObject secrets, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        await using var command = source.CreateCommand(
            "insert into gateway.queued_runs (id, organization_id, secrets, created_at) values ($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = Seal(secrets), NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = now });
        await command.ExecuteNonQueryAsync(ct);
        return id;
    }

    /// <summary>The run as it was given; null when its secrets are no longer kept.</summary>
    public async Task<QueuedRun?> WithSecretsAsync(QueuedRun run, CancellationToken ct)
    {
        if (run.KeyRef is not { } key)
        {
            return run;
        }
        await using var command = source.CreateCommand("select secrets from gateway.queued_runs where id = $1 and organization_id = $2");
        command.Parameters.Add(new() { Value = key });
        command.Parameters.Add(new() { Value = run.OrganizationId });
        return await command.ExecuteScalarAsync(ct) is byte[] secrets ? Join(run, Unseal(secrets)) : null;
    }

    /// <summary>They go soon, not now: an acknowledgement that is lost on the way brings the run back.</summary>
    public async Task ReleaseAsync(QueuedRun run, CancellationToken ct)
    {
        if (run.KeyRef is { } key)
        {
            await using var command =
                source.CreateCommand("update gateway.queued_runs set done_at = $3 where id = $1 and organization_id = $2");
            command.Parameters.Add(new() { Value = key });
            command.Parameters.Add(new() { Value = run.OrganizationId });
            command.Parameters.Add(new() { Value = time.GetUtcNow() });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static void Cut(JsonNode node, string path, JsonObject secrets)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    // What a caller calls a variable is his own business, and may well be called headers. A path is split at slashes.
                    if (value is null || name.Contains('/', StringComparison.Ordinal) || name == "variables")
                    {
                        continue;
                    }
                    if (Names.Contains(name))
                    {
                        members.Remove(name);
                        secrets[$"{path}/{name}"] = value;
                    }
                    else
                    {
                        Cut(value, $"{path}/{name}", secrets);
                    }
                }
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (items[i] is { } item)
                    {
                        Cut(item, string.Create(CultureInfo.InvariantCulture, $"{path}/{i}"), secrets);
                    }
                }
                break;
        }
    }

    private static void Put(JsonNode? at, ReadOnlySpan<string> path, JsonNode? secret)
    {
        while (path.Length > 1)
        {
            at = at switch
            {
                JsonObject members => members[path[0]],
                JsonArray items when int.TryParse(path[0], CultureInfo.InvariantCulture, out var i) && i < items.Count => items[i],
                _ => null,
            };
            path = path[1..];
        }
        if (at is JsonObject holder)
        {
            holder[path[0]] = secret;
        }
    }
}
