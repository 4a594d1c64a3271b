using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Data;

/// <summary>How the model meets the database: snake_case names, enums as text, instants in UTC. What a module sets itself, wins.</summary>
internal sealed class SnakeCaseConvention : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entity in modelBuilder.Metadata.GetEntityTypes())
        {
            var isDocument = entity.IsMappedToJson();
            if (!isDocument && entity.GetTableName() is { } table)
            {
                entity.Builder.ToTable(Snake(table));
            }
            Shape(entity, StoreObjectIdentifier.Create(entity, StoreObjectType.Table), isDocument);
        }
    }

    private static void Shape(IConventionTypeBase type, StoreObjectIdentifier? table, bool isDocument)
    {
        foreach (var property in type.GetDeclaredProperties())
        {
            if (isDocument)
            {
                property.Builder.HasJsonPropertyName(Snake(property.GetJsonPropertyName() ?? property.Name));
            }
            else
            {
                var column = table is { } store ? property.GetColumnName(store) : null;
                property.Builder.HasColumnName(Snake(column ?? property.GetColumnName()));
            }
            var value = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
            if (value.IsEnum)
            {
                property.Builder.HasConverter(typeof(EnumText<>).MakeGenericType(value));
            }
            else if (value == typeof(DateTimeOffset))
            {
                property.Builder.HasConverter(typeof(UtcInstant));
            }
        }
        foreach (var part in type.GetDeclaredComplexProperties())
        {
            Shape(part.ComplexType, table, isDocument || part.ComplexType.IsMappedToJson());
        }
    }

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private sealed class EnumText<T>() : ValueConverter<T, string>(value => EnumNames<T>.Write(value), text => EnumNames<T>.Read(text))
        where T : struct, Enum;

    // PostgreSQL keeps instants without an offset, and Npgsql takes none but zero.
    private sealed class UtcInstant() : ValueConverter<DateTimeOffset, DateTimeOffset>(
        instant => instant.ToUniversalTime(), instant => instant);

    /// <summary>As an extension of the options it also reaches the records of <c>SqlQuery</c>, which are in no model.</summary>
    internal sealed class Extension : IDbContextOptionsExtension
    {
        public DbContextOptionsExtensionInfo Info => new ExtensionInfo(this);

        public void ApplyServices(IServiceCollection services) =>
            new EntityFrameworkServicesBuilder(services).TryAdd<IConventionSetPlugin, Plugin>();

        public void Validate(IDbContextOptions options)
        {
        }

        private sealed class Plugin : IConventionSetPlugin
        {
            public ConventionSet ModifyConventions(ConventionSet conventionSet)
            {
                conventionSet.ModelFinalizingConventions.Add(new SnakeCaseConvention());
                return conventionSet;
            }
        }

        private sealed class ExtensionInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
        {
            public override bool IsDatabaseProvider => false;

            public override string LogFragment => "";

            public override int GetServiceProviderHashCode() => 0;

            public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo;

            public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            {
            }
        }
    }
}
