namespace Stoa.Platform.Storage;

/// <summary>Files by name (<c>files/0190…/file-abc</c>), whole or not there: on our own disk, or in a bucket.</summary>
public interface IStorage
{
    /// <summary>Writes a file, in the place of an earlier one; it lasts when this returns. Returns its length.</summary>
    /// <returns>Null when there is more than <paramref name="maxBytes"/>; nothing was written then.</returns>
    Task<long?> WriteAsync(string name, Stream content, long maxBytes, CancellationToken ct);

    /// <summary>Null when there is no such file.</summary>
    Task<Stream?> OpenAsync(string name, CancellationToken ct);

    /// <summary>It is no failure when there is none.</summary>
    Task DeleteAsync(string name, CancellationToken ct);

    /// <summary>
    /// Where whoever has the address may <c>PUT</c> the file himself, with this content type and of this length, until the lifetime is
    /// over.
    /// </summary>
    /// <param name="bytes">Null for any length: then nothing keeps the file from being as large as he likes.</param>
    /// <returns>Null where files are on our own disk: then they pass through us.</returns>
    Task<StorageAddress?> WriteAddressAsync(string name, string contentType, long? bytes, TimeSpan lifetime, CancellationToken ct);

    /// <summary>Where whoever has the address may <c>GET</c> the file, whether it is there or not.</summary>
    /// <returns>Null where files are on our own disk: then they pass through us.</returns>
    Task<StorageAddress?> ReadAddressAsync(string name, TimeSpan lifetime, CancellationToken ct);
}

/// <param name="Key">What the bucket calls the file.</param>
public sealed record StorageAddress(string Key, string Url);
