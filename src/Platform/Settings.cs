using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Stoa.Platform;

public static class Settings
{
    /// <summary>Binds <typeparamref name="T"/> to a configuration section and checks it before the host serves anything.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class => services.AddOptions<T>().BindConfiguration(section).ValidateOnStart();
}
