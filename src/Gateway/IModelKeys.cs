namespace Stoa.Gateway;

/// <summary>
/// The keys of model providers that an organization brings for its own calls, for the settings pages of other modules. They are sealed in
/// the database; a key goes in and never comes out.
/// </summary>
public interface IModelKeys
{
    Task<IReadOnlyList<ModelKey>> ListAsync(Guid organizationId, CancellationToken ct);

    /// <summary>Keeps a key in the place of the one before, after its provider has said that it knows it.</summary>
    /// <param name="service">A provider's name (<c>openai</c>, <c>anthropic</c>, <c>gemini</c>, …).</param>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid: there is no such provider, or it does not know the key. Upstream, Timeout: it
    /// could not be asked.</exception>
    Task<ModelKey> PutAsync(Guid organizationId, string service, string key, CancellationToken ct);

    /// <returns>False when there was none.</returns>
    Task<bool> RemoveAsync(Guid organizationId, string service, CancellationToken ct);
}

/// <param name="Mask">What may be shown of it.</param>
/// <param name="Status"><c>working</c>, <c>invalid</c>, <c>unauthorized</c> or <c>limited</c>, as the last call found it.</param>
public sealed record ModelKey(string Service, string Mask, string Status, DateTimeOffset UpdatedAt);
