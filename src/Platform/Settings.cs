using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Hosting;

namespace Stoa.Platform;

public static class Settings
{
    /// <summary>
    /// Binds <typeparamref name="T"/> to a configuration section and checks it before the host serves anything: values that do not
    /// parse, names that do not exist, validation attributes, and any <see cref="IValidateOptions{T}"/>, whose failures begin with
    /// the key below the section (<c>Providers:openai:Kind must be …</c>).
    /// </summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class, new()
    {
        services.AddSingleton(new SettingsSection(section, typeof(T), provider => provider.GetRequiredService<IOptions<T>>().Value));
        return services.AddOptions<T>().BindConfiguration(section);
    }

    /// <summary>For what is needed before the container exists. Throws <see cref="WrongSettingException"/>.</summary>
    public static T Read<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        var own = new SettingsSection(section, typeof(T), _ => new T());
        SettingsCheck.Throw(SettingsCheck.WrongValues(configuration, own));
        var settings = configuration.GetSection(section).Get<T>() ?? new();
        SettingsCheck.Throw(SettingsCheck.BrokenRules(configuration, own, settings));
        return settings;
    }
}
