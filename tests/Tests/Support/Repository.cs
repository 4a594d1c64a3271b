namespace Stoa.Tests.Support;

<<<<<<< HEAD
internal static class Repository
{
    /// <summary>The folder that holds Stoa.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stoa.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("The tests must run from a build inside the repository.");
    }
=======
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
>>>>>>> part/host
}
