using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Data;

/// <summary>
/// The unit of work of one module over the schema of its name: snake_case names, enums as text, instants in UTC
/// (<see cref="SnakeCaseConvention"/>). The schema itself is the module's numbered SQL files.
/// </summary>
public abstract class ModuleDb(DbContextOptions options, string schema) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(schema);
}
