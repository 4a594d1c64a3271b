using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Stoa.Platform.Data;

/// <summary>
/// The unit of work of one module over the schema of its name: snake_case names, enums as text, instants in UTC.
/// The schema itself is the module's numbered SQL files.
/// </summary>
public abstract class ModuleDb(DbContextOptions options, string schema) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(schema);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Conventions.Add(_ => new SnakeCaseConvention());
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcConverter>();
    }

    // PostgreSQL keeps instants without an offset, and Npgsql takes none but zero.
    private sealed class UtcConverter() : ValueConverter<DateTimeOffset, DateTimeOffset>(
        instant => instant.ToUniversalTime(), instant => instant);

    private sealed class SnakeCaseConvention : IModelFinalizingConvention
    {
        public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        {
            foreach (var entity in modelBuilder.Metadata.GetEntityTypes())
            {
                if (entity.GetTableName() is { } table && !entity.IsMappedToJson())
                {
                    entity.Builder.ToTable(Snake(table));
                }
                Name(entity, entity.IsMappedToJson());
            }
        }

        private static void Name(IConventionTypeBase type, bool isInsideDocument)
        {
            foreach (var property in type.GetDeclaredProperties())
            {
                if (isInsideDocument)
                {
                    property.Builder.HasJsonPropertyName(Snake(property.GetJsonPropertyName() ?? property.Name));
                }
                else
                {
                    property.Builder.HasColumnName(Snake(property.GetColumnName()));
                }
                if ((Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType) is { IsEnum: true } enumeration)
                {
                    property.Builder.HasConverter(typeof(EnumText<>).MakeGenericType(enumeration));
                }
            }
            foreach (var part in type.GetDeclaredComplexProperties())
            {
                Name(part.ComplexType, isInsideDocument || part.ComplexType.IsMappedToJson());
            }
        }

        private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
    }

    private sealed class EnumText<T>() : ValueConverter<T, string>(value => EnumNames<T>.Write(value), text => EnumNames<T>.Read(text))
        where T : struct, Enum;
}
