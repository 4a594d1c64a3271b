namespace Stoa.Tests.Support;

/// <summary>The checked-out sources that this build came from.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Stoa.slnx.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory)
        ?? throw new InvalidOperationException("The tests must run from a build inside the repository.");

    /// <summary>A file of the shared data beside the repository, or null when it is absent.</summary>
    public static string? Shared(string path) =>
        Path.Combine(Root, "..", "shared", path) is var full && Path.Exists(full) ? Path.GetFullPath(full) : null;

    private static string? Find(string? folder) =>
        folder is null || File.Exists(Path.Combine(folder, "Stoa.slnx")) ? folder : Find(Path.GetDirectoryName(folder));
}
