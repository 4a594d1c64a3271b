using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Auth;

/// <summary>What a root token holder says of a new client.</summary>
internal sealed record NewApiClient(string Description, string FrontendType, bool Trusted = false, string? AdminEmail = null);

/// <summary>
/// The enabled API clients, in memory, by the hash of their keys. They are few, and each call asks; a change reaches every host within a
/// second. A look-up by hash tells nothing by its time: nobody can choose the hash of a key that he does not know.
/// </summary>
internal sealed partial class ApiClients(
    NpgsqlDataSource source, IServiceScopeFactory scopes, ChangeFeed changes,
    DatabaseReadiness readiness, IOptions<FeedbackAuthOptions> options, TimeProvider time,
    ILogger<ApiClients> logger) : BackgroundService
{
    private const string Channel = "feedback_api_clients";
    private const int LongestKey = 512;

    // A read that began before a change must not end after one that saw it.
    private readonly SemaphoreSlim reading = new(1);
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile FrozenDictionary<string, ApiClient> clients = FrozenDictionary<string, ApiClient>.Empty;

    public bool IsLoaded => loaded.Task.IsCompleted;

    public Task WhenLoaded(CancellationToken ct) => loaded.Task.WaitAsync(ct);

    /// <exception cref="Failure">Unavailable: the table was not read yet.</exception>
    public ApiClient? Find(string key) =>
        !IsLoaded ? throw Failure.Unavailable("The server is starting", TimeSpan.FromSeconds(1))
        : key.Length > LongestKey ? null
        : Known(key);

    /// <summary>Makes a client; its key is told this once.</summary>
    public async Task<string> CreateAsync(NewApiClient client, CancellationToken ct)
    {
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await AddAsync(key, client, "root", ct);
        await ReloadAsync(ct);
        return key;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(async () =>
    {
        await readiness.WhenReady(stoppingToken);
        // Called at once, on each change, again when it throws, and when a word may have been lost.
        using var subscription = changes.Subscribe(Channel, (_, ct) => LoadAsync(ct));
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stoppingToken);
    });

    private async Task LoadAsync(CancellationToken ct)
    {
        var isFirst = !IsLoaded;
        await ReloadAsync(ct);
        // Looked for before it is made: each start would pay for what only the first one does.
        if (isFirst && options.Value.OfficialWebApiKey is { Length: > 0 } official && Known(official) is null
            && await AddAsync(official, new("official web client", "web", Trusted: true), "settings", ct))
        {
            LogOfficial();
            await ReloadAsync(ct);
        }
        loaded.TrySetResult();
    }

    private async Task ReloadAsync(CancellationToken ct)
    {
        await reading.WaitAsync(ct);
        try
        {
            clients = (await ReadAsync(ct)).ToFrozenDictionary(StringComparer.Ordinal);
        }
        finally
        {
            reading.Release();
        }
    }

    private async Task<Dictionary<string, ApiClient>> ReadAsync(CancellationToken ct)
    {
        var read = new Dictionary<string, ApiClient>(StringComparer.Ordinal);
        await using var command = source.CreateCommand(
            "select key_hash, id, description, frontend_type, trusted from feedback.api_client where enabled");
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            read[NameOf(row.GetFieldValue<byte[]>(0))] =
                new(row.GetGuid(1), row.GetString(2), row.StringOrNull(3), row.GetBoolean(4));
        }
        return read;
    }

    /// <summary>The client and the note that it was made; false when there is one with this key.</summary>
    private async Task<bool> AddAsync(string key, NewApiClient client, string actor, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityDb>();
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var added = await db.Database.ExecuteSqlAsync($"""
            insert into feedback.api_client (id, key_hash, description, frontend_type, trusted, admin_email, created_at)
            values ({id}, {HashOf(key)}, {client.Description}, {client.FrontendType}, {client.Trusted}, {client.AdminEmail}, {now})
            on conflict (key_hash) do nothing
            """, ct);
        if (added == 1)
        {
            db.Note(time, actor, "api_client.create", $"api_client:{id}", Organization.DefaultId, new() { ["trusted"] = client.Trusted });
            await db.SaveChangesAsync(ct);
        }
        await transaction.CommitAsync(ct);
        return added == 1;
    }

    private ApiClient? Known(string key) => clients.GetValueOrDefault(NameOf(HashOf(key)));

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string NameOf(byte[] hash) => Convert.ToBase64String(hash);

    [LoggerMessage(LogLevel.Information, "The official web client is made; its key is the one of the settings")]
    private partial void LogOfficial();
}
