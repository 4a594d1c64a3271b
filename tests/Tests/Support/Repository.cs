namespace Stoa.Tests.Support;

/// <summary>The checked-out sources, where there are any.</summary>
internal static class Repository
{
    /// <summary>The folder with <c>Stoa.slnx</c>, or null when the tests run from somewhere else.</summary>
    public static string? Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>A file of the shared data beside the repository, or null when it is absent.</summary>
    public static string? Shared(string path) =>
        Root is not null && Path.Combine(Root, "..", "shared", path) is var full && Path.Exists(full) ? Path.GetFullPath(full) : null;

    private static string? Find(string? folder) =>
        folder is null || File.Exists(Path.Combine(folder, "Stoa.slnx")) ? folder : Find(Path.GetDirectoryName(folder));
}
