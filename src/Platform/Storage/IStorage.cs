namespace Stoa.Platform.Storage;

/// <summary>Files by name (<c>files/0190…/file-abc</c>), whole or not there.</summary>
public interface IStorage
{
    /// <summary>Writes a file, in the place of an earlier one; on the disk when it returns. Returns its length.</summary>
    /// <returns>Null when there is more than <paramref name="maxBytes"/>; nothing was written then.</returns>
    Task<long?> WriteAsync(string name, Stream content, long maxBytes, CancellationToken ct);

    /// <summary>Null when there is no such file.</summary>
    Task<Stream?> OpenAsync(string name, CancellationToken ct);

    /// <summary>It is no failure when there is none.</summary>
    Task DeleteAsync(string name, CancellationToken ct);
}
