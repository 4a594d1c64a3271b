namespace Stoa.Platform.Storage;

/// <summary>
/// A file without a name that lasts as long as it is open: what must be whole, or read from its end, before it goes where it belongs.
/// </summary>
public static class Draft
{
    /// <param name="folder">Which must be there; absent: where the system keeps such files.</param>
    public static FileStream Open(string? folder = null)
    {
        var path = Path.Combine(folder ?? Path.GetTempPath(), Path.GetRandomFileName());
        var file = new FileStream(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, BoundedCopy.BufferBytes, FileOptions.Asynchronous);
        // At once, so that nothing is left of it where the host is killed.
        File.Delete(path);
        return file;
    }
}
