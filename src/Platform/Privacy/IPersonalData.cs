namespace Stoa.Platform.Privacy;

/// <summary>
/// What a module keeps about people. Each module registers one (scoped), and by it everything about a person can be handed out and
/// erased without anybody knowing the module's tables.
/// </summary>
public interface IPersonalData
{
    /// <summary>The module's folder in the export.</summary>
    string Name { get; }

    /// <summary>Writes everything about the person, and nothing about anybody else; secrets and their hashes stay here.</summary>
    Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct);

    /// <summary>
    /// Takes out what names or describes the person; what others need goes on under the person's id, which then stands for nobody. It may
    /// be called again after it has succeeded or failed half-way.
    /// </summary>
    Task EraseAsync(Guid personId, CancellationToken ct);
}
