using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// What a run of an agent needs, resolved and kept in memory: no database on a hit. A change of anything an organization configures drops
/// all of that organization on every node within a second.
/// </summary>
internal sealed class AgentConfigurations : IDisposable
{
    public const string Channel = "gateway_configuration";

    private const int MaxOrganizations = 10_000;
    private const int MaxOfOrganization = 10_000;

    /// <summary>Letters in the name of an environment: clients may send any, and each is remembered.</summary>
    private const int MaxEnvironment = 128;

    private readonly ConcurrentDictionary<Guid, Known> organizations = new();
    private readonly IServiceScopeFactory scopes;
    private readonly IDisposable subscription;

    public AgentConfigurations(IServiceScopeFactory scopes, ChangeFeed changes)
    {
        this.scopes = scopes;
        subscription = changes.Subscribe(Channel, (payload, _) =>
        {
            Drop(payload);
            return Task.CompletedTask;
        });
    }

    /// <param name="agent">An agent's id or slug; null when a version is given alone.</param>
    /// <param name="versionId">Runs this version instead of the published one.</param>
    /// <param name="environment">Picks the version that the agent keeps for it, where none is given; one that it does not have is passed
    /// over.</param>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid, in the words of GTWY's wire (<see cref="ConfigurationFailures"/>).</exception>
    public async ValueTask<AgentConfiguration> FindAsync(
        Guid organizationId, string? agent, string? versionId, string? environment, CancellationToken ct)
    {
        var known = Of(organizationId);
        if (agent is not null && versionId is null && environment is { Length: <= MaxEnvironment })
        {
            versionId = await known.Environments.FindAsync(
                (agent, environment),
                key => ReadAsync(reading => reading.VersionInAsync(organizationId, key.Agent, key.Environment, CancellationToken.None)),
                ct);
        }
        var found = await known.Agents.FindAsync(
            (agent, versionId),
            key => ReadAsync(reading => reading.AgentAsync(organizationId, key.Agent, key.Version, CancellationToken.None)), ct);
        return found.IsPaused ? throw ConfigurationFailures.Paused() : found;
    }

    /// <summary>A model that a request or a fallback names.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid: there is none, it is switched off, or it is another
    /// organization's.</exception>
    public ValueTask<ModelDocument> FindModelAsync(Guid organizationId, string service, string model, CancellationToken ct) =>
        Of(organizationId).Models.FindAsync(
            (service, model),
            key => ReadAsync(reading => reading.ModelAsync(organizationId, key.Service, key.Model, CancellationToken.None)), ct);

    /// <summary>The template of a wrapper of prompts that a request names; null when there is none.</summary>
    public ValueTask<string?> FindWrapperAsync(Guid organizationId, string id, CancellationToken ct) =>
        !HexId.IsOne(id) ? new((string?)null)
        : Of(organizationId).Wrappers.FindAsync(
            id, key => ReadAsync(reading => reading.WrapperAsync(organizationId, key, CancellationToken.None)), ct);

    /// <summary>The agents that clients of <c>/v1</c> may name as a model: published and not paused, by slug.</summary>
    public ValueTask<IReadOnlyList<ListedAgent>> ListAsync(Guid organizationId, CancellationToken ct) =>
        Of(organizationId).Listed.FindAsync(
            organizationId, id => ReadAsync(reading => reading.AgentsAsync(id, CancellationToken.None)), ct);

    /// <summary>What runs next is read anew.</summary>
    public void Forget(Guid organizationId) => organizations.TryRemove(organizationId, out _);

    public void Dispose() => subscription.Dispose();

    private Known Of(Guid organizationId)
    {
        if (organizations.TryGetValue(organizationId, out var known))
        {
            return known;
        }
        // Counting takes all locks: only where there is something to add.
        if (organizations.Count > MaxOrganizations)
        {
            organizations.Clear();
        }
        return organizations.GetOrAdd(organizationId, static _ => new());
    }

    // What is being read while it is dropped ends up in the part that was dropped: nobody finds it there again.
    private void Drop(string? payload)
    {
        foreach (var id in (payload ?? "").Split(','))
        {
            if (!Guid.TryParse(id, out var organization))
            {
                organizations.Clear();
                return;
            }
            Forget(organization);
        }
    }

    private async Task<T> ReadAsync<T>(Func<ConfigurationReading, Task<T>> read)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await read(scope.ServiceProvider.GetRequiredService<ConfigurationReading>());
    }

    /// <summary>What this node knows of one organization.</summary>
    private sealed class Known
    {
        public Once<(string? Agent, string? Version), AgentConfiguration> Agents { get; } = new();

        /// <summary>Versions by environment, apart from what runs: whatever clients call environments, an agent is held once.</summary>
        public Once<(string Agent, string Environment), string?> Environments { get; } = new();

        public Once<(string Service, string Model), ModelDocument> Models { get; } = new();

        public Once<string, string?> Wrappers { get; } = new();

        public Once<Guid, IReadOnlyList<ListedAgent>> Listed { get; } = new();
    }

    /// <summary>Reads each value once, for all who wait for it. What failed is read anew.</summary>
    private sealed class Once<TKey, TValue>
        where TKey : notnull
    {
        private readonly ConcurrentDictionary<TKey, Lazy<Task<TValue>>> values = new();

        public ValueTask<TValue> FindAsync(TKey key, Func<TKey, Task<TValue>> read, CancellationToken ct)
        {
            if (values.TryGetValue(key, out var known) && known is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                return new(known.Value);
            }
            if (values.Count > MaxOfOrganization)
            {
                values.Clear();
            }
            return new(WaitAsync(key, values.GetOrAdd(key, static (key, read) => new(() => read(key)), read), ct));
        }

        private async Task<TValue> WaitAsync(TKey key, Lazy<Task<TValue>> reading, CancellationToken ct)
        {
            try
            {
                // The reading goes on for the others when one of them leaves.
                return await reading.Value.WaitAsync(ct);
            }
            catch when (reading.Value.IsFaulted || reading.Value.IsCanceled)
            {
                values.TryRemove(new(key, reading));
                throw;
            }
        }
    }
}
